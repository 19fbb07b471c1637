import { describeJavaInterop } from './java-interop-contract.js';

describeJavaInterop({ version: '5.5.0', namesrv: () => process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876' });
