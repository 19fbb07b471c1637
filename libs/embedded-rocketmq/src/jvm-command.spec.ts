import { describe, expect, it } from '@jest/globals';
import { clusterLayout } from './cluster-layout.js';
import { DEFAULT_HEAP_SIZES, jvmArguments, processMarker } from './jvm-command.js';

const input = {
  layout: clusterLayout('/data/a'),
  ports: { namesrv: 9876, broker: 10_911, grpc: 8081, proxyRemoting: 8080 },
  heap: DEFAULT_HEAP_SIZES,
  libDir: '/lib',
  launcherDir: '/launcher',
};

describe('jvmArguments', () => {
  it('run broker and proxy as one process through the loopback launcher', () => {
    const args = jvmArguments({ ...input, role: 'broker' });
    const start = args.indexOf('-cp');
    expect(args.slice(start, start + 4)).toEqual([
      '-cp',
      '/launcher:/lib/*',
      'sluice.embedded.LoopbackMain',
      'org.apache.rocketmq.proxy.ProxyStartup',
    ]);
    expect(args).toContain('-Djava.net.preferIPv4Stack=true');
  });

  it('run the main class itself where nothing could compile the launcher', () => {
    const args = jvmArguments({ ...input, role: 'namesrv', launcherDir: undefined });
    const start = args.indexOf('-cp');
    expect(args.slice(start, start + 3)).toEqual(['-cp', '/lib/*', 'org.apache.rocketmq.namesrv.NamesrvStartup']);
    expect(args).not.toContain('-Djava.net.preferIPv4Stack=true');
  });

  it('carry the mark by which a process of the cluster is recognised', () => {
    expect(jvmArguments({ ...input, role: 'broker' })).toContain(processMarker('broker', '/data/a'));
    expect(processMarker('broker', '/data/a')).not.toBe(processMarker('namesrv', '/data/a'));
  });
});
