import { Role } from '@sluice/core';
import { runRunner } from '@sluice/runner';
import { connectorsOf } from '@sluice/runtime';

await runRunner(Role.sourceRunner, () => connectorsOf(import.meta.url, 'source'));
