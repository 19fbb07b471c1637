import { describe, expect, it } from '@jest/globals';
import { RetriableError, type SourceConnector } from '@sluice/sdk';
import { SPLITTING } from '../testing/split-context.js';
import { PluginRegistry } from './plugin-registry.js';

const agreeing: SourceConnector = {
  ...{ kind: 'source', name: 'Agreeing', aliases: [], version: '1.0.0', doc: 'Agrees upon pairs.', spec: {} },
  taskConfigs: async (_config, _maxTasks, { connectorName, pairs, signal }) => [
    { found: `${connectorName} ${[...(await pairs.read())].join()} ${signal.aborted}` },
  ],
  createTask: () => {
    throw new Error('not needed');
  },
};
const config = { name: 'c', 'connector.class': 'Agreeing' };
const registry = new PluginRegistry([agreeing], { preferred: { key: 'StringConverter' } });

describe('what a connector gets beside its settings', () => {
  it('is handed on to it', async () => {
    const context = { ...SPLITTING, pairs: { ...SPLITTING.pairs, read: () => Promise.resolve(new Map([['k', 'v']])) } };
    await expect(registry.taskConfigs(config, context)).resolves.toMatchObject({ tasks: [{ found: 'copy k,v false' }] });
  });

  it('has the question repeated where pairs cannot be read now', async () => {
    const pairs = { ...SPLITTING.pairs, read: () => Promise.reject(new RetriableError('the log is unavailable')) };
    const refused = registry.taskConfigs(config, { ...SPLITTING, pairs });
    await expect(refused).rejects.toMatchObject({ retriable: true, message: 'the log is unavailable' });
  });

  it('says nothing about the settings once nobody waits any more: the runner stops, or it took too long', async () => {
    const over = new AbortController();
    const stopped: SourceConnector = {
      ...agreeing,
      taskConfigs: (_config, _max, { signal }) => {
        over.abort(new Error('The node stops'));
        // As a client says it, whose call was ended.
        return Promise.reject(Object.assign(new Error(`Aborted: ${(signal.reason as Error).message}`), { retriable: false }));
      },
    };
    const split = new PluginRegistry([stopped]).taskConfigs(config, { ...SPLITTING, signal: over.signal });
    await expect(split).rejects.toMatchObject({ retriable: true, message: 'Aborted: The node stops' });
  });
});
