import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';
import { root } from './setup.mjs';

/** Spec files that take longest, the longest first. A fresh checkout has no times of earlier runs to go by. */
export const LONGEST = [
  'test/mutants/mutants.spec.ts',
  'test/e2e/scaling-and-control-plane-away.spec.ts',
  'test/e2e/chaos.spec.ts',
  'test/e2e/kill.spec.ts',
  'test/e2e/local-command.spec.ts',
  'libs/simulation/src/simulation.spec.ts',
  'test/integration/node/retention.spec.ts',
  'test/integration/rocketmq/grpc-messaging.spec.ts',
  'test/e2e/many-tasks.spec.ts',
  'test/e2e/name-servers.spec.ts',
  'test/e2e/sink-offsets.spec.ts',
  'test/integration/rocketmq/grpc-faults.spec.ts',
  'test/integration/rocketmq/replicas.spec.ts',
  'test/integration/embedded-rocketmq/cluster-lifecycle.spec.ts',
  'test/integration/embedded-rocketmq/topology.spec.ts',
  'test/e2e/coordinators.spec.ts',
  'test/e2e/probes.spec.ts',
  'test/integration/rocketmq/remoting-messaging.spec.ts',
  'test/e2e/retasking.spec.ts',
  'test/e2e/restore.spec.ts',
];

/** Starts the longest spec files first, that none of them is left alone at the end; the others as Jest orders them. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const byFile = new Map(tests.map((test) => [relative(root, test.path), test]));
    const longest = LONGEST.flatMap((file) => byFile.get(file) ?? []);
    return [...longest, ...super.sort(tests.filter((test) => !longest.includes(test)))];
  }
}
