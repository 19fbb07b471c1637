import { Role } from '@sluice/core';
import { datagenSource } from '@sluice/datagen-source';
import { fileStreamSource } from '@sluice/file-source';
import { runnerService, runService } from '@sluice/platform';

await runService(Role.sourceRunner, runnerService([fileStreamSource, datagenSource]));
