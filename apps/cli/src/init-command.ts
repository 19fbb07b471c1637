import { RocketMqClient } from '@sluice/rocketmq';
import { initCluster } from '@sluice/platform';

/** `sluice init`. */
export async function initCommand(
  clusterId: string,
  brokerName: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const client = RocketMqClient.open({ namesrv: environment['SLUICE_NAMESRV'] ?? '127.0.0.1:9876' });
  try {
    const result = await initCluster(client, { clusterId, ...(brokerName === undefined ? {} : { brokerName }) });
    if (result.created.length === 0)
      console.log(`Connect cluster ${clusterId} is there, on broker ${result.brokerName}`);
    else
      console.log(`Connect cluster ${clusterId} on broker ${result.brokerName}: created ${result.created.join(', ')}`);
  } finally {
    await client.close();
  }
}
