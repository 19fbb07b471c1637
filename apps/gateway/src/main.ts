import { Role } from '@sluice/core';
import { runService } from '@sluice/platform';
import { createGatewayService } from './gateway-service.js';

await runService(Role.gateway, createGatewayService);
