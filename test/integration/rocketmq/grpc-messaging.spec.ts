import { GrpcMessaging } from '@sluice/rocketmq/grpc';
import { describeMessaging } from './messaging-contract.js';

const [host = '127.0.0.1', port = '8081'] = (process.env['SLUICE_TEST_GRPC'] ?? '').split(':');
const proxies = [{ host, port: Number(port) }];

describeMessaging('grpc', {
  open: () => new GrpcMessaging({ proxies, batchSend: 'on' }),
  keepsBatchesTogether: true,
  takesControlCharacters: false,
});

describeMessaging('grpc-single', {
  open: () => new GrpcMessaging({ proxies, batchSend: 'off' }),
  keepsBatchesTogether: false,
  takesControlCharacters: false,
});
