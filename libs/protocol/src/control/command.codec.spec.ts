import { describe, expect, it } from '@jest/globals';
import { decodeCommand, encodeCommand } from './command.codec.js';

describe('commands', () => {
  it.each([
    [{ kind: 'connector.delete', name: 'c' }, '{"v":1,"kind":"connector.delete","name":"c","requestId":"r","sentAt":1,"from":"n"}'],
    [
      { kind: 'pairs.extend', name: 'c', pairs: [['straße@a:0', 'straße@b:3']] },
      '{"v":1,"kind":"pairs.extend","name":"c","pairs":[["straße@a:0","straße@b:3"]],"requestId":"r","sentAt":1,"from":"n"}',
    ],
  ])('with %j are these bytes', (body, text) => {
    const command = { ...body, requestId: 'r', sentAt: 1, from: 'n' };
    const encoded = encodeCommand(command);
    expect(encoded.toString()).toBe(text);
    expect(decodeCommand(encoded)).toEqual(command);
  });
});
