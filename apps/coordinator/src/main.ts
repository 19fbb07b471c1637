import { Role } from '@sluice/core';
import { runService } from '@sluice/node';
import { createCoordinatorService } from './coordinator-service.js';

await runService(Role.coordinator, createCoordinatorService);
