import { describe, expect, it } from '@jest/globals';
import type { Report } from '@sluice/core';
import { VALIDATION_LIMIT_MS } from '@sluice/protocol';
import { RpcTimeoutError, type RpcTarget } from '@sluice/rpc';
import { RunnerQuestions } from './runner-questions.js';

const plugin = { kind: 'source', name: 'FileStreamSource', aliases: ['FileSource'], version: '1' } as const;

const runner = (nodeId: string, sentAt: number, leaving = false): Report => ({
  nodeId,
  incarnation: `${nodeId}#1`,
  role: 'source-runner',
  reportSeq: 1,
  sentAt,
  leaving,
  capacity: 1,
  plugins: [plugin],
  appliedSeq: 0,
  tasks: [],
});

/** Questions to runners of which only some live; with whom was asked, in order. */
function questions(runners: readonly Report[], living: readonly string[]): { ask: RunnerQuestions; asked: string[] } {
  const asked: string[] = [];
  const request = ({ node, pattern }: RpcTarget): Promise<unknown> => {
    asked.push(node);
    return living.includes(node) ? Promise.resolve({ fields: [] }) : Promise.reject(new RpcTimeoutError(node, pattern, 5000));
  };
  return { ask: new RunnerQuestions({ ofMembers: () => [...runners] }, { request }), asked };
}

describe('questions to runners', () => {
  it('are put to another runner when the one that reported last does not answer', async () => {
    const { ask, asked } = questions([runner('w1', 1), runner('w2', 3), runner('w3', 2)], ['w3']);
    expect(await ask.definitions('FileSource')).toEqual([]);
    expect(asked).toEqual(['w2', 'w3']);
  });

  it('are refused as unavailable, not as timed out, when nobody answers', async () => {
    const { ask, asked } = questions([runner('w1', 1), runner('w2', 2)], []);
    await expect(ask.validate('FileStreamSource', {})).rejects.toMatchObject({
      code: 'CONNECT_UNAVAILABLE',
      retriable: true,
      message: expect.stringMatching(/^No runner could be asked about FileStreamSource: Node 'w1' did not answer/),
    });
    expect(asked).toEqual(['w2', 'w1']);
  });

  it('about a check wait longer than the runner lets it take', async () => {
    const waits: number[] = [];
    const request = (_target: RpcTarget, _question: unknown, options?: { readonly timeoutMs?: number }): Promise<unknown> => {
      waits.push(options?.timeoutMs ?? 0);
      return Promise.resolve({ fields: [] });
    };
    const ask = new RunnerQuestions({ ofMembers: () => [runner('w1', 1)] }, { request });
    await ask.validate('FileStreamSource', {});
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(VALIDATION_LIMIT_MS);
  });

  it('go to a runner that has the version, and to any that has the class where none has it', async () => {
    const newer = { ...runner('w1', 1), plugins: [{ ...plugin, version: '2.1.0' }] };
    const older = { ...runner('w2', 2), plugins: [{ ...plugin, version: '1.4.0' }] };
    const { ask, asked } = questions([newer, older], ['w1', 'w2']);
    await ask.definitions('FileSource', '[2.0,3.0)');
    await ask.validate('FileSource', { 'connector.plugin.version': '2.1.0' });
    await ask.definitions('FileSource', '1.4.0');
    await ask.definitions('FileSource', '9.9.9');
    await ask.definitions('FileSource', 'no range');
    expect(asked).toEqual(['w1', 'w1', 'w2', 'w2', 'w2']);
  });

  it('do not go to a runner that is leaving', async () => {
    const { ask, asked } = questions([runner('w1', 9, true), runner('w2', 1)], ['w1', 'w2']);
    await ask.definitions('FileStreamSource');
    expect(asked).toEqual(['w2']);
  });

  it('go to three runners at most', async () => {
    const runners = ['w1', 'w2', 'w3', 'w4'].map((id, at) => runner(id, at));
    const { ask, asked } = questions(runners, []);
    await expect(ask.definitions('FileStreamSource')).rejects.toMatchObject({ code: 'CONNECT_UNAVAILABLE' });
    expect(asked).toEqual(['w4', 'w3', 'w2']);
  });
});
