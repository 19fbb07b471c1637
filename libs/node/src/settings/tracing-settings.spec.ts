import { describe, expect, it } from '@jest/globals';
import { Role } from '@sluice/core';
import { nodeSettingsOf } from './node-settings.js';
import { printSettings } from './print-settings.js';
import { readSettings } from './read-settings.js';
import { NodeSettingsError } from './resolve-settings.js';
import type { TracingSettings } from './tracing-settings.js';

type Environment = Readonly<Record<string, string>>;

const noFiles = (path: string): string => {
  throw new Error(`${path} is not there`);
};

function tracingOf(environment: Environment): TracingSettings | undefined {
  return nodeSettingsOf(Role.sinkRunner, readSettings({ environment, readText: noFiles }), noFiles).tracing;
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    tracingOf(environment);
  } catch (error) {
    if (error instanceof NodeSettingsError) return error.problems;
    throw error;
  }
  return [];
}

const notesOf = (environment: Environment): readonly string[] => readSettings({ environment, readText: noFiles }).notes;
const overriddenIn = (environment: Environment): readonly string[] => readSettings({ environment, readText: noFiles }).overridden;

const on = { SLUICE_TRACING_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the settings of tracing', () => {
  it('trace nothing without an endpoint, and say so of the others', () => {
    expect(tracingOf({})).toBeUndefined();
    expect(notesOf({ SLUICE_TRACING_SAMPLE_RATIO: '0.5' })).toEqual([
      'environment: SLUICE_TRACING_SAMPLE_RATIO changes nothing: tracing.otlp.endpoint is not given',
    ]);
  });

  it('have defaults that cost little, and add the path of OTLP to an endpoint that has none', () => {
    expect(tracingOf(on)).toEqual({
      endpoint: 'http://collector:4318/v1/traces',
      headers: {},
      timeoutMs: 10_000,
      ratio: 0.001,
      maxPerSecond: 100,
      maxQueuedSpans: 4096,
      serviceName: 'sluice',
    });
    const own = { SLUICE_TRACING_OTLP_ENDPOINT: 'https://collector/otlp/traces?a=b' };
    expect(tracingOf(own)?.endpoint).toBe('https://collector/otlp/traces?a=b');
  });

  it.each(['collector:4318', 'grpc://collector:4317', 'nothing'])('refuse the endpoint %s', (text) => {
    expect(problemsOf({ SLUICE_TRACING_OTLP_ENDPOINT: text })).toEqual([
      `environment: Invalid value ${text} for configuration SLUICE_TRACING_OTLP_ENDPOINT: Expected a URL that begins with http:// or https://`,
    ]);
  });

  it('refuse an endpoint with credentials, and headers that are none, without showing them', () => {
    const problems = [
      ...problemsOf({ SLUICE_TRACING_OTLP_ENDPOINT: 'http://user:s3cret@collector' }),
      ...problemsOf({ ...on, SLUICE_TRACING_OTLP_HEADERS: 's3cret' }),
      ...problemsOf({ ...on, SLUICE_TRACING_OTLP_HEADERS: 'a=%s3cret' }),
    ];
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('s3cret');
    expect(problems[0]).toContain('tracing.otlp.headers takes them');
  });

  it('read headers, and print none of them', () => {
    const environment = { ...on, SLUICE_TRACING_OTLP_HEADERS: 'authorization=Bearer%20s3cret, x-team = a' };
    expect(tracingOf(environment)?.headers).toEqual({ authorization: 'Bearer s3cret', 'x-team': 'a' });
    expect(printSettings(Role.sinkRunner, readSettings({ environment, readText: noFiles }))).not.toContain('s3cret');
  });

  it('take what every SDK of OpenTelemetry reads, where nothing else is given', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/base/',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      OTEL_SERVICE_NAME: 'pipes',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    };
    expect(tracingOf(environment)).toMatchObject({
      endpoint: 'http://collector:4318/base/v1/traces',
      timeoutMs: 2000,
      serviceName: 'pipes',
      ratio: 0.25,
    });
    expect(notesOf(environment)).toEqual([]);
    const both = { ...environment, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/path', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '3000' };
    expect(tracingOf(both)).toMatchObject({ endpoint: 'http://other/path', timeoutMs: 3000 });
    expect(tracingOf({ ...both, ...on })?.endpoint).toBe('http://collector:4318/v1/traces');
    expect(overriddenIn({ ...both, ...on })).toEqual([
      'environment: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is overridden by environment (SLUICE_TRACING_OTLP_ENDPOINT)',
    ]);
    expect(tracingOf({ ...environment, OTEL_TRACES_SAMPLER: 'parentbased_always_on' })?.ratio).toBe(1);
    expect(tracingOf({ ...environment, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
    expect(tracingOf({ ...environment, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
  });

  it('name the variables of OpenTelemetry that are not honoured, where records are traced', () => {
    const others = {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_BSP_MAX_QUEUE_SIZE: '1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    };
    expect(notesOf(others)).toEqual([]);
    expect(notesOf({ ...on, ...others })).toEqual([
      'environment: OTEL_TRACES_SAMPLER is ignored: tracing.sample.ratio says which records begin a trace',
      'environment: OTEL_EXPORTER_OTLP_PROTOCOL is ignored: spans are exported as http/json',
      'environment: OTEL_BSP_MAX_QUEUE_SIZE is ignored: Sluice does not know it',
    ]);
  });

  it('refuse a value of such a variable by its own name', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' };
    expect(problemsOf(environment).join()).toContain('OTEL_EXPORTER_OTLP_TIMEOUT');
  });
});
