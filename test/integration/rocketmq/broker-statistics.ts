import { BrokerResponseError, type RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

/** Waits until every master reports its state: a broker refuses until it has taken its first statistics, a second or two after its start. */
export async function untilFirstStatistics(client: RocketMqClient): Promise<void> {
  await until('the brokers have taken their first statistics', async () => {
    try {
      return await client.admin.brokers.versions();
    } catch (error) {
      if (error instanceof BrokerResponseError && error.retriable) return undefined;
      throw error;
    }
  });
}
