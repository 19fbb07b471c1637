import { openMessaging } from '@sluice/rocketmq';
import { describeMessaging } from './messaging-contract.js';

const url = `rocketmq+grpc://${process.env['SLUICE_TEST_GRPC'] ?? '127.0.0.1:8081'}`;

describeMessaging('grpc', {
  open: () => openMessaging(url, { grpc: { batchSend: 'on' } }),
  keepsBatchesTogether: true,
  takesControlCharacters: false,
});

describeMessaging('grpc-single', {
  open: () => openMessaging(url),
  keepsBatchesTogether: false,
  takesControlCharacters: false,
});
