import { Role } from '@sluice/core';
import { runService } from '@sluice/platform';
import { createCoordinatorService } from './coordinator-service.js';

await runService(Role.coordinator, createCoordinatorService);
