import { Role } from '@sluice/core';
import { runRunner } from '@sluice/runner';
import { connectorsOf } from '@sluice/runtime';

await runRunner(Role.sinkRunner, () => connectorsOf(import.meta.url, 'sink'));
