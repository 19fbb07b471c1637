import { Role } from '@sluice/core';
import { runnerService, runService } from '@sluice/platform';
import { connectorsOf } from '@sluice/runtime';

await runService(Role.sourceRunner, async (node, rpc) => {
  const connectors = await connectorsOf(import.meta.url, 'source');
  return runnerService(connectors)(node, rpc);
});
