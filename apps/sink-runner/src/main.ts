import { Role } from '@sluice/core';
import { fileStreamSink } from '@sluice/file-sink';
import { runnerService, runService } from '@sluice/platform';

await runService(Role.sinkRunner, runnerService([fileStreamSink]));
