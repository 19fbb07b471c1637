import { describe, expect, it } from '@jest/globals';
import { parseCliArguments } from './cli-arguments.js';

describe('parseCliArguments', () => {
  it('starts the cluster "dev" with ports left open by default', () => {
    const start = { kind: 'start', name: 'dev', ports: {}, tls: false, data: undefined };
    expect(parseCliArguments(['start'])).toEqual(start);
    expect(parseCliArguments(['start', '--tls'])).toEqual({ ...start, tls: true });
  });

  it('reads name, ports and data folder', () => {
    const args = ['start', '--name', 'b', '--namesrv-port', '9976', '--broker-port=11911', '--grpc-port', '8181', '--data', '/d'];
    expect(parseCliArguments(args)).toEqual({
      kind: 'start',
      name: 'b',
      ports: { namesrv: 9976, broker: 11_911, grpc: 8181 },
      tls: false,
      data: '/d',
    });
  });

  it('asks for the status of all clusters unless one is named', () => {
    expect(parseCliArguments(['status'])).toEqual({ kind: 'status', name: undefined, data: undefined });
    expect(parseCliArguments(['status', '--name', 'b'])).toMatchObject({ name: 'b' });
  });

  it('shows the usage for --help whatever else is given', () => {
    expect(parseCliArguments(['start', '-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [[], 'no command given: start, stop, status are allowed'],
    [['run'], 'command "run" given: start, stop, status are allowed'],
    [['start', 'now'], 'argument "now" is not expected after start'],
    [['start', '--grpc-port', '70000'], '--grpc-port "70000" given: a number from 1 to 65535 is allowed'],
    [['start', '--broker-port', '1e3'], '--broker-port "1e3" given: a number from 1 to 65535 is allowed'],
    [['stop', '--grpc-port', '8081'], '--grpc-port is allowed with start only, stop was given'],
    [['stop', '--tls'], '--tls is allowed with start only, stop was given'],
    [
      ['start', '--heap', '1g'],
      "Unknown option '--heap': --name, --namesrv-port, --broker-port, --grpc-port, --tls, --data, --help are allowed",
    ],
    [['start', '--name'], "Option '--name <value>' argument missing"],
    [['start', '--data', ''], '--data "" given: a folder is expected'],
  ])('refuses %j: %s', (args, message) => {
    expect(() => parseCliArguments(args)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message }));
  });
});
