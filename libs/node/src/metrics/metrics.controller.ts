import { Controller, Get, Inject, Res } from '@nestjs/common';
import { MetricRegistry } from './metric-registry.js';

/** What is needed of an HTTP answer. */
interface TextResponse {
  type(contentType: string): TextResponse;
  send(body: string): void;
}

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(MetricRegistry) private readonly metrics: MetricRegistry) {}

  @Get()
  async text(@Res() response: TextResponse): Promise<void> {
    response.type(this.metrics.contentType).send(await this.metrics.text());
  }
}
