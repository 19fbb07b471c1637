import { openMessaging } from '@sluice/rocketmq';
import { describeMessaging } from './messaging-contract.js';

describeMessaging('remoting', {
  open: () => openMessaging(`rocketmq://${process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876'}`),
  keepsBatchesTogether: true,
  takesControlCharacters: true,
});
