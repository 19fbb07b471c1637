import { Module, type DynamicModule } from '@nestjs/common';
import { MetricRegistry } from './metric-registry.js';
import { MetricsController } from './metrics.controller.js';

/** `/metrics`. */
@Module({})
export class MetricsModule {
  /** @throws Error when a metric of the role has no source: the list of metrics is a promise. */
  static forRegistry(metrics: MetricRegistry): DynamicModule {
    const { missing } = metrics;
    if (missing.length > 0) throw new Error(`Metrics without a source: ${missing.join(', ')}`);
    return {
      module: MetricsModule,
      controllers: [MetricsController],
      providers: [{ provide: MetricRegistry, useValue: metrics }],
    };
  }
}
