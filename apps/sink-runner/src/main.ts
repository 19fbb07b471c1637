import { Role } from '@sluice/core';
import { fileStreamSink } from '@sluice/file-sink';
import { runnerService, runService } from '@sluice/platform';
import { verifySink } from '@sluice/verify-sink';

await runService(Role.sinkRunner, runnerService([fileStreamSink, verifySink]));
