import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from '../connection/call-deadline.js';
import { RequestTimeoutError } from '../errors.js';
import { ConsumerSession } from './consumer-session.js';
import { type messages, protocol } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';

/** A telemetry stream that stays open. */
class FakeStream extends EventEmitter {
  isCancelled = false;

  constructor(private readonly isAnswered: boolean) {
    super();
  }

  write(command: InstanceType<typeof messages.TelemetryCommand>): void {
    if (this.isAnswered) setImmediate(() => this.emit('data', command));
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

describe('ConsumerSession', () => {
  it('opens another stream after one on which the Proxy never confirmed the settings', async () => {
    const streams: FakeStream[] = [];
    const telemetry = (): FakeStream => {
      const stream = new FakeStream(streams.length > 0);
      streams.push(stream);
      return stream;
    };
    const channels = {
      prepare: () => Promise.resolve({ stub: { telemetry }, metadata: undefined, options: {} }),
      track: () => () => undefined,
    };
    const session = new ConsumerSession({
      address: 'proxy:8081',
      channels: channels as unknown as ProxyChannels,
      clientId: 'client',
      topic: 'topic',
      group: 'group',
      settings: new protocol.Settings(),
    });
    await expect(session.ready(new CallDeadline(20, undefined))).rejects.toThrow(RequestTimeoutError);
    await session.ready(new CallDeadline(20_000, undefined));
    expect(streams.map(({ isCancelled }) => isCancelled)).toEqual([true, false]);
  });
});
