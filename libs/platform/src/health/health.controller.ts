import { Controller, Get, Inject } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  type HealthCheckResult,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import { HEALTH_CHECKS, type ReadinessCheck } from './readiness-check.js';

const checkTimeoutMs = 2000;

@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HEALTH_CHECKS) private readonly checks: readonly ReadinessCheck[],
  ) {}

  /** The process answers: its event loop turns. */
  @Get('live')
  @HealthCheck({ swaggerDocumentation: false })
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** The node can do its work now. */
  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  ready(): Promise<HealthCheckResult> {
    return this.health.check(this.checks.map(indicatorOf));
  }
}

function indicatorOf(check: ReadinessCheck): HealthIndicatorFunction {
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${String(checkTimeoutMs)} ms`));
      }, checkTimeoutMs);
    });
    try {
      const detail = await Promise.race([Promise.resolve().then(() => check.check()), late]);
      return { [check.name]: { status: 'up', ...detail } };
    } catch (error) {
      return { [check.name]: { status: 'down', reason: error instanceof Error ? error.message : String(error) } };
    } finally {
      clearTimeout(timer);
    }
  };
}
