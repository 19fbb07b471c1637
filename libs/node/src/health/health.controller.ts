import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { HEALTH_CHECKS, type HealthChecks, type NodeCheck } from './health-check.js';
import { runCheck } from './run-check.js';

@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HEALTH_CHECKS) private readonly checks: HealthChecks,
  ) {}

  /** The process is sound: only a restart mends what fails here. Nothing outside of the process counts. */
  @Get('live')
  @HealthCheck({ swaggerDocumentation: false })
  live(): Promise<HealthCheckResult> {
    return this.outcomeOf(this.checks.live);
  }

  /** The node can do its work now. */
  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  ready(): Promise<HealthCheckResult> {
    return this.outcomeOf(this.checks.ready);
  }

  private outcomeOf(checks: readonly NodeCheck[]): Promise<HealthCheckResult> {
    return this.health.check(checks.map((check) => () => runCheck(check)));
  }
}
