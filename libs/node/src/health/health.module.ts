import { Module, type DynamicModule, Controller, Get, Inject } from '@nestjs/common';
import { TerminusModule, HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { EventLoopWatch } from './event-loop-watch.js';
import { HEALTH_CHECKS, type HealthChecks, type NodeCheck, runCheck } from './health-check.js';

/** Adds the routes `/health/live` and `/health/ready` to a role. */
@Module({})
export class HealthModule {
  static forChecks({ live, ready }: HealthChecks): DynamicModule {
    const eventLoop = new EventLoopWatch();
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        { provide: EventLoopWatch, useValue: eventLoop },
        { provide: HEALTH_CHECKS, useValue: { live: [eventLoop.check, ...live], ready } },
      ],
    };
  }
}

/** Answers the two probes of a node. */
@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HEALTH_CHECKS) private readonly checks: HealthChecks,
  ) {}

  /** Checks that the process is sound. Only a restart repairs what fails here; nothing outside of the process is looked at. */
  @Get('live')
  @HealthCheck({ swaggerDocumentation: false })
  live(): Promise<HealthCheckResult> {
    return this.#outcomeOf(this.checks.live);
  }

  /** Checks that the node can do its work now. */
  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  ready(): Promise<HealthCheckResult> {
    return this.#outcomeOf(this.checks.ready);
  }

  #outcomeOf(checks: readonly NodeCheck[]): Promise<HealthCheckResult> {
    return this.health.check(checks.map((check) => () => runCheck(check)));
  }
}
