import { Role } from '@sluice/core';
import { runnerService, runService } from '@sluice/platform';
import { connectorsOf } from '@sluice/runtime';

await runService(Role.sinkRunner, async (node, rpc) => {
  const connectors = await connectorsOf(import.meta.url, 'sink');
  return runnerService(connectors)(node, rpc);
});
