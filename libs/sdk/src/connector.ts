import type { FieldError } from './config/config-fields.js';
import type { PluginDescription } from './plugin.js';
import type { SinkTask } from './sink/sink-task.js';
import type { SourceTask } from './source/source-task.js';
import type { TaskConfig } from './record/task-context.js';

interface ConnectorDescription extends PluginDescription {
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

export interface SourceConnector extends ConnectorDescription {
  readonly kind: 'source';
  readonly createTask: () => SourceTask;
}

export interface SinkConnector extends ConnectorDescription {
  readonly kind: 'sink';
  readonly createTask: () => SinkTask;
}

export type Connector = SourceConnector | SinkConnector;
