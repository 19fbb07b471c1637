import { readFileSync } from 'node:fs';

// A RocketMQ that lives for a minute never earns back what its JVM's optimizing compiler costs.
process.env.JDK_JAVA_OPTIONS ??= '-XX:TieredStopAtLevel=1';

const swc = JSON.parse(readFileSync(new URL('./swcrc.json', import.meta.url), 'utf8'));

const common = {
  testEnvironment: '<rootDir>/test/support/plain-environment.mjs',
  testEnvironmentOptions: { customExportConditions: ['sluice-source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['/dist/', '/\\.sluice/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
};

/** unit: pure logic, no broker. integration: libraries on a real RocketMQ. e2e: the built system as processes. */
export default {
  testTimeout: 120_000,
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  reporters: ['default', '<rootDir>/scripts/summary-reporter.mjs'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      roots: [
        '<rootDir>/apps',
        '<rootDir>/libs',
        '<rootDir>/scripts/connector-template',
        '<rootDir>/test/bench',
        '<rootDir>/test/chaos',
        '<rootDir>/test/compose',
        '<rootDir>/test/lint',
        '<rootDir>/test/mutants',
        '<rootDir>/test/vectors',
      ],
      testRegex: '\\.spec\\.ts$',
    },
    {
      ...common,
      displayName: 'integration',
      roots: ['<rootDir>/test/integration'],
      testRegex: '\\.spec\\.ts$',
      setupFilesAfterEnv: ['<rootDir>/test/support/name-spec.mjs'],
      globalSetup: '<rootDir>/test/support/start-rocketmq.mjs',
      globalTeardown: '<rootDir>/test/support/stop-rocketmq.mjs',
    },
    {
      ...common,
      displayName: 'e2e',
      roots: ['<rootDir>/test/e2e'],
      testRegex: '\\.spec\\.ts$',
      setupFilesAfterEnv: ['<rootDir>/test/support/name-spec.mjs'],
      globalSetup: '<rootDir>/test/support/prepare-e2e.mjs',
      globalTeardown: '<rootDir>/test/support/clean-up-e2e.mjs',
    },
  ],
};
