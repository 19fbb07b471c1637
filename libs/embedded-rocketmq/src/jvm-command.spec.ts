import { describe, expect, it } from '@jest/globals';
import { clusterLayout, nodeLayout } from './cluster-layout.js';
import { type PlannedNode, DEFAULT_HEAP_SIZES, NO_TLS } from './cluster-plan.js';
import { jvmArguments, type JvmCommandInput, processMarker } from './jvm-command.js';

const NAMESRV: PlannedNode = { kind: 'namesrv', id: 'namesrv', hasController: false, ports: { listen: 9876 } };
const SECOND: PlannedNode = { kind: 'namesrv', id: 'namesrv-2', hasController: false, ports: { listen: 9877 } };
const BROKER: PlannedNode = {
  kind: 'broker',
  id: 'broker',
  brokerName: 'broker-a',
  hasProxy: true,
  config: {},
  ports: { listen: 10_911, grpc: 8081, proxyRemoting: 8080 },
};

function input(node: PlannedNode, launcherJar: string | undefined = '/launcher.jar'): JvmCommandInput {
  return {
    node,
    nodes: [NAMESRV, SECOND, BROKER],
    layout: nodeLayout(clusterLayout('/data/a'), node),
    heap: DEFAULT_HEAP_SIZES,
    tls: NO_TLS,
    marker: processMarker(node.id, '/data/a'),
    libDir: '/lib',
    launcherJar,
    classArchive: ['-XX:SharedArchiveFile=/classes.jsa'],
  };
}

describe('jvmArguments', () => {
  it('run broker and proxy as one process through the loopback launcher', () => {
    const args = jvmArguments(input(BROKER));
    const start = args.indexOf('-cp');
    expect(args.slice(start, start + 6)).toEqual([
      '-cp',
      '/launcher.jar:/lib/*',
      'sluice.embedded.LoopbackMain',
      'org.apache.rocketmq.proxy.ProxyStartup',
      '-n',
      '127.0.0.1:9876;127.0.0.1:9877',
    ]);
    expect(args).toContain('-Djava.net.preferIPv4Stack=true');
  });

  it('run the broker alone where it has no proxy, in the folder of the process', () => {
    const args = jvmArguments(input({ ...BROKER, id: 'broker-2', hasProxy: false }));
    expect(args.slice(-3)).toEqual(['org.apache.rocketmq.broker.BrokerStartup', '-c', '/data/a/broker-2/conf/broker.conf']);
    expect(args).toContain('-Duser.home=/data/a/broker-2');
  });

  it('run the main class itself where nothing could compile the launcher', () => {
    const args = jvmArguments({ ...input(NAMESRV), launcherJar: undefined });
    const start = args.indexOf('-cp');
    expect(args.slice(start, start + 3)).toEqual(['-cp', '/lib/*', 'org.apache.rocketmq.namesrv.NamesrvStartup']);
    expect(args).not.toContain('-Djava.net.preferIPv4Stack=true');
  });

  it('speak TLS only where that is asked for', () => {
    expect(jvmArguments(input(BROKER))).toContain('-Dtls.server.mode=disabled');
    const asked = { 'tls.server.mode': 'enforcing', 'tls.server.keyPath': '/my keys/key.pem' };
    const args = jvmArguments({ ...input(BROKER), tls: asked });
    expect(args.filter((argument) => argument.startsWith('-Dtls.'))).toEqual([
      '-Dtls.server.mode=enforcing',
      '-Dtls.server.keyPath=/my keys/key.pem',
    ]);
    expect(jvmArguments({ ...input(BROKER), tls: {} }).join(' ')).not.toContain('tls');
  });

  it('carry the mark by which a process of the cluster is recognised', () => {
    expect(jvmArguments(input(BROKER))).toContain('-Dsluice.embedded.broker=/data/a');
    expect(processMarker('broker', '/data/a')).not.toBe(processMarker('broker-2', '/data/a'));
  });
});
