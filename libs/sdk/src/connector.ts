import type { FieldError } from './config/config-fields.js';
import type { ConnectorInstance } from './connector-instance.js';
import type { PluginDescription } from './plugin.js';
import type { SinkTask } from './sink/sink-task.js';
import type { SourceTask } from './source/source-task.js';
import type { TaskConfig } from './record/task-context.js';

/**
 * Pairs that a connector has agreed upon, in the log of the cluster. They are only ever added: a pair never changes, and no two pairs of a
 * connector have the same value. They outlive the connector, as its positions do.
 */
export interface AgreedPairs {
  /** Reads the pairs in force, by key: all that were agreed upon before the call. Rejects with a retriable error where the log cannot be read. */
  read(): Promise<ReadonlyMap<string, string>>;
  /**
   * Adds those pairs whose key and value are both new. Resolves with all pairs in force then: others may have been faster, so look for yours.
   * Rejects with a retriable error where the log cannot be written: some of the pairs may be in force then, or will be.
   *
   * A connector may have 20,000 pairs, with keys and values of up to 400 bytes of UTF-8 each. What exceeds that is refused for good.
   */
  extend(pairs: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>;
}

/** What the runtime gives `taskConfigs`, for as long as that call lasts. */
export interface SplitContext {
  readonly connectorName: string;
  readonly pairs: AgreedPairs;
  /** Aborts when nobody waits for the tasks any more: no error is final then. */
  readonly signal: AbortSignal;
}

/** What a connector makes of settings that users wrote for another system. */
export interface TranslatedSettings {
  /** The settings to use; the given object where there is nothing to translate. */
  readonly settings: TaskConfig;
  /** Settings that would not do what they say: they are refused. */
  readonly errors: readonly FieldError[];
  /** What users should know of settings that change nothing. A check answers them as warnings, and the log has them once. */
  readonly notes: readonly string[];
}

interface ConnectorDescription extends PluginDescription {
  /**
   * Translates settings of another system into the connector's own. The runtime calls it wherever settings come in, before anything else reads
   * them; validation, tasks and instance see the result alone. Pure, and without effect on what it has translated.
   */
  readonly translateSettings?: (config: TaskConfig) => TranslatedSettings;
  /**
   * Checks what the spec cannot say: rules across settings, and whether the other system takes them. It changes nothing. The runtime calls it
   * with settings that are right one by one: before they are stored, and before each `taskConfigs`. Few calls run at a time.
   *
   * Return what is wrong: that refuses the settings. Throw a retriable error where the other system cannot be asked. Then the settings are not
   * stored, and a connector that is there keeps its tasks and is checked again later. A check that takes longer than 5 s is such an error too;
   * `signal` aborts then. Secrets in messages are hidden.
   */
  readonly validate?: (config: TaskConfig, signal: AbortSignal) => readonly FieldError[] | Promise<readonly FieldError[]>;
  /**
   * Splits the work into between 1 and `maxTasks` task settings. It may look at the other system, and changes nothing but the pairs of
   * `context`. The same settings and findings give the same tasks in the same order, because a task whose settings stay keeps running. The
   * runtime calls it again after every change of the settings, and when a source task asks for it. The runtime also repeats the call after an
   * error marked `retriable`; any other error is final for these settings.
   */
  readonly taskConfigs: (
    config: TaskConfig,
    maxTasks: number,
    context: SplitContext,
  ) => readonly TaskConfig[] | Promise<readonly TaskConfig[]>;
  /** Makes what watches the other system beside the tasks. A connector that leaves this out has nothing that runs but its tasks. */
  readonly createInstance?: () => ConnectorInstance;
  /**
   * `raw`: its records are messages that pass untouched, in {@link ConnectRecord.raw}. Settings of converters and transforms are refused, and a
   * source names the queue of each partition in `rocketmq.queue` of its records.
   */
  readonly records?: 'raw';
  /** Converters used when the user names none, by plugin name, for example `{ value: 'ByteArrayConverter' }`. */
  readonly defaultConverters?: { readonly key?: string; readonly value?: string };
}

export interface SourceConnector extends ConnectorDescription {
  readonly kind: 'source';
  /**
   * Says whether records reach Sluice's own readers exactly once with these settings, which are right one by one. They do where a task that starts
   * at a position hands out the records behind it, each once. A connector that leaves this out is refused `exactly.once.support=required`. Pure.
   */
  readonly exactlyOnceSupport?: (config: TaskConfig) => 'supported' | 'unsupported';
  readonly createTask: () => SourceTask;
}

export interface SinkConnector extends ConnectorDescription {
  readonly kind: 'sink';
  /**
   * True where a `put` that failed for good has taken none of its records, or takes the same ones again without harm. With `errors.tolerance=all`
   * and a dead letter topic the runtime then puts them again in parts: only those that fail alone are left out. An error of the other system
   * itself has to be retriable. A connector that leaves this out fails the task.
   */
  readonly hasRepeatablePut?: boolean;
  readonly createTask: () => SinkTask;
}

export type Connector = SourceConnector | SinkConnector;
