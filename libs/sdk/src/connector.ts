import type { ConfigSpec, FieldError } from './config/config-fields.js';
import type { SinkTask } from './sink/sink-task.js';
import type { SourceTask } from './source/source-task.js';
import type { TaskConfig } from './record/task-context.js';

interface ConnectorPluginBase {
  /** The class name that users write as `connector.class`, for example `FileStreamSource`. */
  readonly name: string;
  /** Other class names it answers to: those of Kafka Connect and of Apache RocketMQ Connect. */
  readonly aliases: readonly string[];
  readonly version: string;
  /** One sentence for lists and documentation. */
  readonly doc: string;
  /** The connector's own settings; those that every connector has come from the runtime. */
  readonly spec: ConfigSpec;
  /** What the spec cannot say: rules across settings. Pure. */
  readonly validate?: (config: TaskConfig) => readonly FieldError[];
  /**
   * Splits the work into between 1 and `maxTasks` task settings. It may look at the other system, and changes nothing. The same settings
   * and findings give the same tasks in the same order, because a task whose settings stay keeps running. The runtime calls it again after
   * every change of the settings, and when a source task asks for it. The runtime also repeats the call after an error marked `retriable`;
   * any other error is final for these settings.
   */
  readonly taskConfigs: (config: TaskConfig, maxTasks: number) => readonly TaskConfig[] | Promise<readonly TaskConfig[]>;
  /** Converters used when the user names none, by plugin name, for example `{ value: 'ByteArrayConverter' }`. */
  readonly defaultConverters?: { readonly key?: string; readonly value?: string };
}

export interface SourceConnector extends ConnectorPluginBase {
  readonly kind: 'source';
  readonly createTask: () => SourceTask;
}

export interface SinkConnector extends ConnectorPluginBase {
  readonly kind: 'sink';
  readonly createTask: () => SinkTask;
}

export type Connector = SourceConnector | SinkConnector;
