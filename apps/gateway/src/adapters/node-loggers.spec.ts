import { describe, expect, it } from '@jest/globals';
import type { Report } from '@sluice/core';
import { LogLevels } from '@sluice/node';
import { RpcTimeoutError, type RpcTarget } from '@sluice/rpc';
import { LOG_LEVELS } from '../ports/gateway-ports.js';
import { NodeLoggers } from './node-loggers.js';

const ids = (...nodes: readonly string[]): { readonly ofMembers: () => readonly Report[] } => ({
  ofMembers: () => nodes.map((nodeId) => ({ nodeId }) as Report),
});

describe('loggers of the cluster', () => {
  it.each(LOG_LEVELS)('of this process take %s', (level) => {
    const levels = new LogLevels('info');
    const loggers = new NodeLoggers('g', levels, ids(), { request: () => Promise.reject(new Error('nobody is asked')) });
    expect(loggers.set('root', level)).toEqual(['root']);
    expect(loggers.all().get('root')).toEqual({ level, modifiedAt: expect.any(Number) });
    expect(levels.of('root').level).toBe(level.toLowerCase());
  });

  it('of others are set by asking each of them, a few at a time', async () => {
    const asked: [string, unknown][] = [];
    let open = 0;
    let most = 0;
    const request = async ({ node, pattern }: RpcTarget, question: unknown): Promise<unknown> => {
      most = Math.max(most, (open += 1));
      asked.push([`${node} ${pattern}`, question]);
      await Promise.resolve();
      open -= 1;
      if (node === 'n7') throw new RpcTimeoutError(node, pattern, 5_000);
      return { changed: node === 'n3' ? ['tasks'] : [] };
    };
    const others = Array.from({ length: 70 }, (_, at) => `n${at}`);
    const answer = await new NodeLoggers('g', new LogLevels('info'), ids('g', ...others), { request }).setOnOthers('tasks', 'DEBUG');
    expect(answer.changed).toEqual(['tasks']);
    expect(answer.unanswered).toEqual([expect.stringMatching(/^n7 \(Node 'n7' did not answer/)]);
    expect(asked.map(([target]) => target)).toEqual(others.map((node) => `${node} node.logger-level`));
    expect(asked[0]?.[1]).toEqual({ logger: 'tasks', level: 'debug' });
    expect(most).toBe(32);
  });
});
