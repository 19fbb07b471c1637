import { describe, expect, it } from '@jest/globals';
import { NodeSettingsError, readNodeSettings } from './node-settings.js';

describe('readNodeSettings', () => {
  it('needs nothing to run beside a local RocketMQ', () => {
    const settings = readNodeSettings('gateway', {});
    expect(settings).toMatchObject({
      namesrv: '127.0.0.1:9876',
      grpc: '127.0.0.1:8081',
      clusterId: 'default',
      httpPort: 8083,
    });
    expect(settings.httpHost).toBe('127.0.0.1');
    expect(settings.nodeId).toBeUndefined();
  });

  it("takes the Proxy from the first name server's host", () => {
    expect(readNodeSettings('coordinator', { SLUICE_NAMESRV: 'ns1:9876;ns2:9876' }).grpc).toBe('ns1:8081');
    expect(readNodeSettings('coordinator', { SLUICE_GRPC: 'proxy:8081' }).grpc).toBe('proxy:8081');
  });

  it('takes an empty variable as absent', () => {
    expect(readNodeSettings('sink-runner', { SLUICE_HTTP_PORT: '', SLUICE_NODE_ID: 'n' })).toMatchObject({
      httpPort: 8086,
      nodeId: 'n',
    });
  });

  it('reads labels, and names what is wrong with them', () => {
    expect(readNodeSettings('sink-runner', {}).labels).toEqual({});
    expect(readNodeSettings('sink-runner', { SLUICE_LABELS: 'zone=a, rack=r1' }).labels).toEqual({
      zone: 'a',
      rack: 'r1',
    });
    expect(() => readNodeSettings('sink-runner', { SLUICE_LABELS: 'zone' })).toThrow(
      /^SLUICE_LABELS: Label zone of configuration SLUICE_LABELS has no value/,
    );
  });

  it('names every wrong variable, what was given and what is allowed', () => {
    const wrong = { SLUICE_HTTP_PORT: 'x', SLUICE_LOG_LEVEL: 'loud' };
    expect(() => readNodeSettings('gateway', wrong)).toThrow(NodeSettingsError);
    expect(() => readNodeSettings('gateway', wrong)).toThrow(/SLUICE_HTTP_PORT.*x[^]*SLUICE_LOG_LEVEL.*loud/);
    expect(() => readNodeSettings('gateway', { SLUICE_NODE_ID: 'a/b' })).toThrow(
      'SLUICE_NODE_ID: "a/b" given; allowed are',
    );
  });
});
