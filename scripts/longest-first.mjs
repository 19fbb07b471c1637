import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';
import { root } from './setup.mjs';

/**
 * Spec files that take longest, the longest first. A fresh checkout has no times of earlier runs to go by. Jest starts the smallest files last
 * then, and a small one may take long.
 */
export const LONGEST = [
  'test/e2e/scaling-and-control-plane-away.spec.ts',
  'test/e2e/chaos.spec.ts',
  'test/e2e/local-command.spec.ts',
  'test/e2e/kill.spec.ts',
  'test/mutants/mutants.spec.ts',
  'test/e2e/many-tasks.spec.ts',
  'test/e2e/task-threads.spec.ts',
  'test/e2e/stuck-task.spec.ts',
  'test/integration/node/retention.spec.ts',
  'test/integration/runtime/two-brokers.spec.ts',
  'test/integration/rocketmq/grpc-faults.spec.ts',
  'test/e2e/sink-offsets.spec.ts',
  'test/integration/rocketmq/replicas.spec.ts',
  'test/integration/connectors/new-connector.spec.ts',
  'test/e2e/name-servers.spec.ts',
  'test/integration/rocketmq/grpc-messaging.spec.ts',
  'test/e2e/coordinators.spec.ts',
  'test/e2e/retasking.spec.ts',
  'test/e2e/probes.spec.ts',
  'test/e2e/restore.spec.ts',
  'test/e2e/file-pipeline.spec.ts',
  'test/e2e/plugins.spec.ts',
  'test/e2e/secrets.spec.ts',
  'test/e2e/dead-letters.spec.ts',
  'test/integration/rocketmq/faults.spec.ts',
  'test/integration/rocketmq/admin-old-versions.spec.ts',
  'test/integration/embedded-rocketmq/cluster-lifecycle.spec.ts',
  'test/integration/node/init.spec.ts',
  'test/integration/embedded-rocketmq/controller.spec.ts',
  'test/e2e/task-restart.spec.ts',
  'test/e2e/verify.spec.ts',
  'test/integration/rocketmq/several-brokers.spec.ts',
  'libs/simulation/src/simulation.spec.ts',
  'test/integration/embedded-rocketmq/topology.spec.ts',
];

/** Starts the longest spec files first, that none of them is left alone at the end; the others as Jest orders them. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const byFile = new Map(tests.map((test) => [relative(root, test.path), test]));
    const longest = LONGEST.flatMap((file) => byFile.get(file) ?? []);
    return [...longest, ...super.sort(tests.filter((test) => !longest.includes(test)))];
  }
}
