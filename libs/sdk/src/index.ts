export {
  clusterErrors,
  type ClusterOptions,
  clusterSettingsSpec,
  type ClusterSpec,
  readClusterOptions,
} from './cluster/cluster-settings.js';
export * from './config/config-fields.js';
export * from './config/config-provider.js';
export * from './config/describe-fields.js';
export * from './config/markdown.js';
export * from './config/nearest-name.js';
export * from './config/parse-config.js';
export { embeddedSecrets, hideEmbedded, holdsMark } from './config/embedded-secrets.js';
export * from './config/references.js';
export * from './config/secrets.js';
export * from './config/topic-name.js';
export * from './errors/config-error.js';
export * from './errors/connect-error.js';
export * from './json/json-number.js';
export * from './json/parse-json.js';
export * from './record/plain-json.js';
export * from './connector.js';
export * from './connector-instance.js';
export * from './plugin.js';
export * from './record/record-limits.js';
export * from './record/record.js';
export type { ConnectObject, ConnectValue } from './schema/connect-value.js';
export * from './schema/decimal.js';
export { LogicalType, logicalTypeOf, dateToNumber, SCALE_PARAMETER, scaleOf } from './schema/logical-type.js';
export * from './schema/parse-literal.js';
export { scalarOf, type ScalarValue } from './schema/scalar-value.js';
export * from './schema/schema.js';
export * from './schema/schema-builder.js';
export * from './schema/schemas.js';
export * from './schema/validate-value.js';
export * from './schema/value-parts.js';
export * from './sink/sink-task.js';
export * from './source/source-task.js';
export * from './stage/converter.js';
export * from './stage/transform.js';
export * from './record/task-context.js';
