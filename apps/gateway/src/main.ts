import { Role } from '@sluice/core';
import { runService } from '@sluice/node';
import { createGatewayService } from './gateway-service.js';

await runService(Role.gateway, createGatewayService);
