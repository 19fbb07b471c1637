import { Role } from '@sluice/core';
import { HIDDEN_VALUE } from '@sluice/sdk';
import type { GivenSetting, GivenSettings } from './given-settings.js';
import type { SettingValues } from './setting-definitions.js';

const RUNNERS = [Role.sourceRunner, Role.sinkRunner] as const;
const DEFAULT_PATH = '/v1/traces';

/** The settings of tracing; see docs/operations/traces.md. */
export const tracingFields = {
  'tracing.otlp.endpoint': {
    type: 'string',
    importance: 'medium',
    optional: true,
    roles: RUNNERS,
    doc:
      'URL of a receiver of traces, such as an OpenTelemetry Collector, that takes OTLP over HTTP as JSON. Without a path it gets `/v1/traces`. No record is ' +
      'traced where it is absent.',
    example: 'http://10.0.0.9:4318',
  },
  'tracing.otlp.headers': {
    type: 'password',
    importance: 'low',
    optional: true,
    roles: RUNNERS,
    doc: 'Headers of the requests to that receiver, as name=value, separated by commas; values in percent encoding.',
  },
  'tracing.otlp.timeout.ms': {
    type: 'int',
    importance: 'low',
    default: 10_000,
    min: 100,
    max: 600_000,
    roles: RUNNERS,
    doc: 'Longest time that an export of spans may take with its retries, in milliseconds. Spans that are not exported then are dropped and counted.',
  },
  'tracing.sample.ratio': {
    type: 'double',
    importance: 'medium',
    default: 0.001,
    min: 0,
    max: 1,
    roles: RUNNERS,
    doc: 'Share of the records without a trace context that begin a trace. A record that carries a context is traced where that says so, and only then.',
  },
  'tracing.sample.max.per.second': {
    type: 'int',
    importance: 'low',
    default: 100,
    min: 1,
    max: 10_000,
    roles: RUNNERS,
    doc: 'Most records that a node traces in a second, shared out over its task threads. Others are counted and pass untraced, whatever their context says.',
  },
  'tracing.queue.spans': {
    type: 'int',
    importance: 'low',
    default: 4096,
    min: 512,
    max: 65_536,
    roles: RUNNERS,
    doc: 'Most spans that wait for their export. Those that come when so many wait are dropped and counted.',
  },
  'tracing.service.name': {
    type: 'string',
    importance: 'low',
    default: 'sluice',
    nonEmpty: true,
    roles: RUNNERS,
    doc: 'Name of the service in traces: `service.name` of the resource.',
  },
} as const;

/** How a runner traces records. */
export interface TracingSettings {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly ratio: number;
  readonly maxPerSecond: number;
  readonly maxQueuedSpans: number;
  readonly serviceName: string;
}

/** Returns how records are traced; `undefined` where none is. */
export function tracingOf(values: SettingValues): TracingSettings | undefined {
  const endpoint = values['tracing.otlp.endpoint'];
  if (endpoint === undefined) return undefined;
  return {
    endpoint: withPath(new URL(endpoint)),
    headers: Object.fromEntries(parseHeaders(values['tracing.otlp.headers'] ?? '') ?? []),
    timeoutMs: values['tracing.otlp.timeout.ms'],
    ratio: values['tracing.sample.ratio'],
    maxPerSecond: values['tracing.sample.max.per.second'],
    maxQueuedSpans: values['tracing.queue.spans'],
    serviceName: values['tracing.service.name'],
  };
}

/** Returns why an endpoint cannot be one. */
export function endpointProblem(text: string): { readonly shown: string; readonly reason: string } | undefined {
  const allowed = 'Expected a URL that begins with http:// or https://';
  // What stands before an @ may be a password.
  const shown = text.includes('@') ? HIDDEN_VALUE : text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { shown, reason: allowed };
  if (url.username === '' && url.password === '') return undefined;
  return { shown: HIDDEN_VALUE, reason: 'Credentials have no place in it: tracing.otlp.headers takes them' };
}

/** Reads `name=value,name=value`; `undefined` where that is none. */
export function parseHeaders(text: string): readonly (readonly [string, string])[] | undefined {
  const pairs: [string, string][] = [];
  for (const item of text.split(',').map((each) => each.trim())) {
    if (item === '') continue;
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*)$/.exec(item) ?? [];
    if (name === undefined || value === undefined) return undefined;
    try {
      pairs.push([name, decodeURIComponent(value)]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}

function withPath(url: URL): string {
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  return url.href;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the exporter reads by itself. */
const OF_EXPORTER = /^OTEL_EXPORTER_OTLP_(?:TRACES_)?(?:HEADERS|COMPRESSION|CERTIFICATE|CLIENT_CERTIFICATE|CLIENT_KEY)$/;
const HONOURED =
  /^OTEL_(?:EXPORTER_OTLP_(?:TRACES_)?(?:ENDPOINT|TIMEOUT|PROTOCOL)|SERVICE_NAME|TRACES_SAMPLER|TRACES_SAMPLER_ARG|TRACES_EXPORTER|SDK_DISABLED)$/;
const PROTOCOL = 'http/json';
const SAMPLERS: Readonly<Record<string, string | undefined>> = { parentbased_always_on: '1', parentbased_always_off: '0' };

/**
 * Reads the variables that every SDK of OpenTelemetry reads
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). They are used where nothing else is given.
 *
 * @param isOn another place names an endpoint
 */
export function givenByOtelEnvironment(environment: Environment, isOn: boolean): GivenSettings {
  const place = 'environment';
  const textOf = (...names: readonly string[]): { readonly name: string; readonly text: string } | undefined => {
    const name = names.find((each) => (environment[each] ?? '').trim() !== '');
    return name === undefined ? undefined : { name, text: (environment[name] ?? '').trim() };
  };
  const isOff = environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true' || environment['OTEL_TRACES_EXPORTER']?.trim() === 'none';
  const endpoint = isOff ? undefined : textOf('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (endpoint === undefined && !isOn) return { given: [], notes: [], errors: [] };
  const given: GivenSetting[] = [];
  const notes: string[] = [];
  const isBase = endpoint?.name === 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (endpoint !== undefined) {
    const text = isBase ? `${endpoint.text.replace(/\/$/, '')}${DEFAULT_PATH}` : endpoint.text;
    given.push({ setting: 'tracing.otlp.endpoint', name: endpoint.name, text, place });
  }
  const timeout = textOf('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT');
  if (timeout !== undefined) given.push({ setting: 'tracing.otlp.timeout.ms', ...timeout, place });
  const service = textOf('OTEL_SERVICE_NAME');
  if (service !== undefined) given.push({ setting: 'tracing.service.name', ...service, place });
  const sampler = textOf('OTEL_TRACES_SAMPLER');
  const ratio = sampler?.text === 'parentbased_traceidratio' ? textOf('OTEL_TRACES_SAMPLER_ARG') : undefined;
  const fixed = SAMPLERS[sampler?.text ?? ''];
  if (ratio !== undefined) given.push({ setting: 'tracing.sample.ratio', ...ratio, place });
  else if (fixed !== undefined) given.push({ setting: 'tracing.sample.ratio', name: 'OTEL_TRACES_SAMPLER', text: fixed, place });
  else if (sampler !== undefined) notes.push(ignored(sampler.name, 'tracing.sample.ratio says which records begin a trace'));
  const protocol = textOf('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol.text !== PROTOCOL) notes.push(ignored(protocol.name, `spans are exported as ${PROTOCOL}`));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('OTEL_') && !OF_EXPORTER.test(name) && !HONOURED.test(name)) notes.push(ignored(name, 'Sluice does not know it'));
  }
  return { given, notes, errors: [] };
}

function ignored(name: string, reason: string): string {
  return `environment: ${name} is ignored: ${reason}`;
}
