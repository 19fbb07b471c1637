import { join } from 'node:path';
import { defaultCoordinatorSettings, LONGEST_REPORT_INTERVAL_MS, Role } from '@sluice/core';
import type { ConfigOf, ConfigSpec, Field } from '@sluice/sdk';
import { tracingFields } from './tracing-settings.js';

/** One setting of a node, and the roles that it means something to; all of them where none is named. */
type NodeField = Field & { readonly roles?: readonly Role[] };

const interval = { type: 'int', importance: 'low', min: 100, max: 3_600_000 } as const;
const keyText = { type: 'password', importance: 'medium', optional: true } as const;
const keyFile = { type: 'string', importance: 'medium', optional: true } as const;
const RUNNERS = [Role.sourceRunner, Role.sinkRunner] as const;
const SOURCES = [Role.sourceRunner] as const;
const SINKS = [Role.sinkRunner] as const;
const GATEWAY = [Role.gateway] as const;
const SECRET_KEEPERS = [Role.gateway, Role.sourceRunner, Role.sinkRunner] as const;
const COORDINATORS = [Role.coordinator] as const;
/** The nodes of a large cluster report every 2 s: a report that is a little late makes nobody suspected. */
const REPORT_LATE_MS = LONGEST_REPORT_INTERVAL_MS + 500;

/**
 * Every setting of a node under its name in a file. The name of its environment variable follows from it ({@link variableOf}); the names that Apache
 * RocketMQ Connect has are in `original-keys.ts`.
 */
export const settingsSpec = {
  namesrv: {
    type: 'string',
    importance: 'high',
    default: '127.0.0.1:9876',
    doc: 'Name servers of the runtime cluster, in which the topics of Sluice itself live: host:port, separated by commas or semicolons, or a URL.',
    example: 'rocketmq://10.0.0.1:9876,10.0.0.2:9876',
  },
  grpc: {
    type: 'string',
    importance: 'high',
    optional: true,
    doc: "Proxy of the runtime cluster, as host:port or a URL; by default the first name server's host with port 8081. With 'none', for a cluster without a Proxy, nodes ask each other over the remoting protocol.",
    example: 'rocketmq+grpc://10.0.0.1:8081',
  },
  'source.namesrv': {
    type: 'string',
    importance: 'high',
    optional: true,
    roles: SOURCES,
    doc: 'Name servers of the cluster that sources write their records to; by default the runtime cluster.',
    example: '10.1.0.1:9876',
  },
  'sink.namesrv': {
    type: 'string',
    importance: 'high',
    optional: true,
    roles: SINKS,
    doc: 'Name servers of the cluster that sinks read their records from, and keep their offsets in; by default the runtime cluster.',
    example: '10.2.0.1:9876',
  },
  'cluster.id': {
    type: 'string',
    importance: 'high',
    default: 'default',
    pattern: '[a-zA-Z0-9_-]{1,40}',
    doc: 'Id of the Connect cluster: nodes with the same id work together, and their topics carry it in their names.',
  },
  'node.id': {
    type: 'string',
    importance: 'high',
    optional: true,
    pattern: '[a-zA-Z0-9._-]{1,64}',
    doc: 'Id of this node, unique in the Connect cluster; by default one is made at the first start and kept under store.path.',
    example: 'source-runner-1',
  },
  'store.path': {
    type: 'string',
    importance: 'high',
    default: join('.sluice', 'store'),
    doc: 'Directory under which the node keeps its four files, in a directory named by its id.',
  },
  'http.host': {
    type: 'string',
    importance: 'medium',
    default: '127.0.0.1',
    doc: 'Address on which the node answers HTTP: health on every role, the REST API on the gateway.',
  },
  'http.port': {
    type: 'int',
    importance: 'medium',
    optional: true,
    min: 0,
    max: 65535,
    doc: 'Port for HTTP; 0 takes any free one. By default 8083 on the gateway, 8084 on the coordinator, 8085 on source runners, 8086 on sink runners.',
  },
  'acl.enable': {
    type: 'boolean',
    importance: 'medium',
    optional: true,
    doc: 'Whether requests to RocketMQ are signed with the keys below; by default they are where keys are given.',
  },
  'access.key': { ...keyText, doc: 'Access key at the runtime cluster.' },
  'secret.key': { ...keyText, doc: 'Secret key at the runtime cluster.' },
  'access.key.file': {
    ...keyFile,
    doc: 'File that holds the access key, instead of access.key. A new key in the file takes effect without a restart.',
    example: '/run/secrets/rocketmq-access-key',
  },
  'secret.key.file': {
    ...keyFile,
    doc: 'File that holds the secret key, instead of secret.key.',
    example: '/run/secrets/rocketmq-secret-key',
  },
  'source.access.key': {
    ...keyText,
    roles: SOURCES,
    doc: 'Access key at the cluster of source.namesrv; by default that of the runtime cluster.',
  },
  'source.secret.key': { ...keyText, roles: SOURCES, doc: 'Secret key at the cluster of source.namesrv.' },
  'source.access.key.file': { ...keyFile, roles: SOURCES, doc: 'File that holds source.access.key.' },
  'source.secret.key.file': { ...keyFile, roles: SOURCES, doc: 'File that holds source.secret.key.' },
  'sink.access.key': {
    ...keyText,
    roles: SINKS,
    doc: 'Access key at the cluster of sink.namesrv; by default that of the runtime cluster.',
  },
  'sink.secret.key': { ...keyText, roles: SINKS, doc: 'Secret key at the cluster of sink.namesrv.' },
  'sink.access.key.file': { ...keyFile, roles: SINKS, doc: 'File that holds sink.access.key.' },
  'sink.secret.key.file': { ...keyFile, roles: SINKS, doc: 'File that holds sink.secret.key.' },
  'secrets.key.file': {
    ...keyFile,
    roles: SECRET_KEEPERS,
    doc:
      'File with the keys that encrypt secrets in settings of connectors, one a line as id=key, where the key is base64 of 32 bytes. The first one ' +
      'encrypts, all decrypt. A changed file takes effect without a restart. Without it secrets are stored as they are. The same on gateways and runners.',
    example: '/run/secrets/sluice-keys',
  },
  'rocketmq.request.timeout.ms': {
    type: 'int',
    importance: 'low',
    default: 3000,
    min: 500,
    max: 60_000,
    doc: 'Longest time that a request to RocketMQ takes where nothing else is said, in milliseconds.',
  },
  'persist.interval.ms': {
    ...interval,
    default: 5000,
    doc: 'Longest time between a change and its writing to the four files, in milliseconds, for those that have no interval of their own.',
  },
  'config.persist.interval.ms': {
    ...interval,
    optional: true,
    doc: 'The same for connectorConfig.json and taskConfig.json; by default persist.interval.ms.',
  },
  'position.persist.interval.ms': {
    ...interval,
    optional: true,
    doc: 'The same for position.json; by default persist.interval.ms.',
  },
  'offset.persist.interval.ms': {
    ...interval,
    optional: true,
    doc: 'The same for offset.json; by default persist.interval.ms.',
  },
  'log.level': {
    type: 'string',
    importance: 'low',
    default: 'info',
    oneOf: ['error', 'warn', 'info', 'debug'],
    doc: 'How much is logged, until the REST API sets another level.',
  },
  'log.format': {
    type: 'string',
    importance: 'low',
    default: 'text',
    oneOf: ['text', 'json'],
    doc: 'How it is logged: `text`, lines for people, or `json`, an object a line with time, level, logger, connector, task and message.',
  },
  'session.timeout.ms': {
    type: 'int',
    importance: 'medium',
    default: defaultCoordinatorSettings.sessionMs,
    min: defaultCoordinatorSettings.memberLeaseMs + defaultCoordinatorSettings.marginMs + REPORT_LATE_MS,
    max: 600_000,
    roles: COORDINATORS,
    doc:
      'How long a node may be silent before the leader reassigns its tasks, in milliseconds. The leader suspects the node 3 s earlier: the lease and ' +
      'the margin of a runner. At the least value that is after one missing report, or in a large cluster after one that is half a second late. Set the same value on all coordinators.',
  },
  capacity: {
    type: 'int',
    importance: 'low',
    default: 1,
    min: 1,
    max: 1000,
    roles: RUNNERS,
    doc: 'Share of tasks that a runner takes, relative to the other runners.',
  },
  labels: {
    type: 'string',
    importance: 'low',
    optional: true,
    roles: RUNNERS,
    doc: 'Labels of this node, as name=value, separated by commas: connectors with placement.<name>=<value> run only on runners that carry the label.',
    example: 'zone=a,rack=r1',
  },
  'key.converter': {
    type: 'class',
    importance: 'low',
    optional: true,
    roles: RUNNERS,
    doc: 'Converter of keys for connectors that name none; by default the one that the connector prefers. The same on all runners.',
    example: 'JsonConverter',
  },
  'value.converter': {
    type: 'class',
    importance: 'low',
    optional: true,
    roles: RUNNERS,
    doc: 'Converter of values for connectors that name none; by default the one that the connector prefers. The same on all runners.',
    example: 'JsonConverter',
  },
  'config.providers': {
    type: 'list',
    importance: 'medium',
    optional: true,
    roles: RUNNERS,
    doc:
      'Names of the config providers that resolve references such as `${env:NAME}` in the settings of connectors, separated by commas. ' +
      '`config.providers.<name>.class` says what each is, where its name is none of `env`, `file`, `dir` and `directory`, and ' +
      '`config.providers.<name>.param.<setting>` sets it. Without any, references are refused. The same on all runners of a role.',
    example: 'env,file',
  },
  'plugin.path': {
    type: 'list',
    importance: 'medium',
    optional: true,
    roles: RUNNERS,
    doc:
      'Folders whose subfolders are packages of connectors, converters, transforms, predicates and config providers, separated by commas; npm makes such a folder ' +
      'as node_modules. The same packages on all runners of a role.',
    example: '/opt/sluice/plugins',
  },
  'topic.creation.enable': {
    type: 'boolean',
    importance: 'low',
    default: true,
    roles: SOURCES,
    doc: 'Whether sources may create topics that are missing; where this is false, no connector can.',
  },
  'task.threads': {
    type: 'int',
    importance: 'medium',
    default: 1,
    min: 1,
    max: 64,
    roles: RUNNERS,
    doc:
      'Threads that the tasks of a runner are spread over. A thread that crashes ends only its own tasks, and they restart. With 1, all tasks ' +
      'run in the main thread.',
  },
  'task.thread.memory.mb': {
    type: 'int',
    importance: 'low',
    optional: true,
    min: 32,
    max: 65_536,
    roles: RUNNERS,
    doc:
      'Memory that JavaScript objects of one task thread may take, in MB; by default as much as Node allows. A thread that needs more ends, and its ' +
      'tasks restart. Buffers do not count. It has no effect where task.threads is 1.',
  },
  'task.stall.ms': {
    type: 'int',
    importance: 'low',
    default: 2000,
    min: 500,
    max: 600_000,
    roles: RUNNERS,
    doc:
      'CPU time that a task thread may use without returning to its event loop, in milliseconds. Then the thread ends: its tasks restart, the one ' +
      'that kept the CPU later and alone. It has no effect where task.threads is 1.',
  },
  'task.call.timeout.ms': {
    type: 'int',
    importance: 'low',
    default: 600_000,
    min: 1000,
    max: 86_400_000,
    roles: RUNNERS,
    doc:
      'Longest time that a call of a task, such as poll or put, may take, in milliseconds. Then its thread ends, and the tasks of the thread restart. ' +
      'The status shows a call that has not returned for 10 s. With task.threads=1 it shows it, and nothing ends.',
  },
  'metrics.tasks.max': {
    type: 'int',
    importance: 'low',
    default: 100,
    min: 0,
    max: 10_000,
    roles: RUNNERS,
    doc:
      'Tasks of a runner that have metrics of their own, about 70 series each. Those that came after them are counted together, under the connector ' +
      'and task `/folded`; sluice_runner_folded_tasks is their number. Metrics of connectors count all tasks.',
  },
  ...tracingFields,
  'gateway.request.timeout.ms': {
    type: 'int',
    importance: 'medium',
    default: 90_000,
    min: 100,
    max: 600_000,
    roles: GATEWAY,
    doc: 'Longest time that a REST request waits for the cluster, in milliseconds.',
  },
  'gateway.max.staleness.ms': {
    type: 'int',
    importance: 'low',
    default: 30_000,
    min: 1000,
    max: 3_600_000,
    roles: GATEWAY,
    doc: 'Age of the view of the cluster above which requests are refused, in milliseconds.',
  },
  'gateway.max.body.bytes': {
    type: 'int',
    importance: 'low',
    default: 1024 * 1024,
    min: 1024,
    max: 3 * 1024 * 1024,
    roles: GATEWAY,
    doc: 'Largest request body, in bytes.',
  },
  'gateway.completed.as': {
    type: 'string',
    importance: 'low',
    default: 'COMPLETED',
    oneOf: ['COMPLETED', 'RUNNING'],
    roles: GATEWAY,
    doc:
      'State that the REST API answers for connectors and tasks that have completed. Kafka Connect has no COMPLETED: a tool that refuses a state which ' +
      'it does not know needs RUNNING.',
  },
} as const satisfies Readonly<Record<string, NodeField>> & ConfigSpec;

export type SettingName = keyof typeof settingsSpec;

/** The values of all settings, each as given or its default. */
export type SettingValues = ConfigOf<typeof settingsSpec>;

export const settingNames = Object.keys(settingsSpec) as readonly SettingName[];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingsSpec, name);
}

/** The field of a setting, without the exact type that only its value needs. */
export function fieldOf(name: SettingName): NodeField {
  return settingsSpec[name];
}

/** The environment variable of a setting: `SLUICE_HTTP_PORT` for `http.port`. */
export function variableOf(name: SettingName): string {
  return `SLUICE_${name.toUpperCase().replaceAll('.', '_')}`;
}
