import { Controller, type DynamicModule, Get, Inject, Module, Res } from '@nestjs/common';
import { MetricRegistry } from './metric-registry.js';

/** Adds the route `/metrics` to a role. */
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

/** What is needed of an HTTP answer. */
interface TextResponse {
  type(contentType: string): TextResponse;
  send(body: string): void;
}

/** Answers scrapers with the text of all metrics. */
@Controller('metrics')
class MetricsController {
  constructor(@Inject(MetricRegistry) private readonly metrics: MetricRegistry) {}

  @Get()
  async text(@Res() response: TextResponse): Promise<void> {
    response.type(this.metrics.contentType).send(await this.metrics.text());
  }
}
