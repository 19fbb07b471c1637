import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { EventLoopWatch } from './event-loop-watch.js';
import { HEALTH_CHECKS, type HealthChecks } from './health-check.js';
import { HealthController } from './health.controller.js';

/** `/health/live` and `/health/ready`. */
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
