import type { FieldError } from '../config/config-fields.js';
import type { RawConfig } from '../config/parse-config.js';
import type { ConnectRecord } from '../record/record.js';
import type { PluginDescription } from '../plugin.js';

/** Changes records between a connector and the converters, or drops them. */
export interface Transform {
  /**
   * Works on what takes time, for example a question to another system; {@link apply} is called for each of these records afterwards. What is
   * wrong with one record is for `apply` to throw. An error marked `retriable` repeats the call after a backoff, with the same array;
   * any other fails the task. `apply` is called once for each place of a record, also where one stands in a batch twice.
   */
  prepare?(records: readonly ConnectRecord[], signal: AbortSignal): Promise<void>;

  /** Returns the record, or a changed copy of it, or `undefined` to drop it. @throws ConnectError for a record that it cannot change */
  apply(record: ConnectRecord): ConnectRecord | undefined;

  /** Frees everything. Called once, when the task has ended. */
  close?(): Promise<void>;
}

/** A transform that connectors can name in `transforms.<alias>.type`. */
export interface TransformPlugin extends PluginDescription {
  readonly kind: 'transform';
  /** What the spec cannot say: rules across settings, and patterns that cannot be read. Pure. */
  readonly validate?: (settings: RawConfig) => readonly FieldError[];
  /** Settings that it does not know are ignored. @throws ConfigError */
  readonly create: (settings: RawConfig) => Transform;
}

/** Decides whether a transform is applied to a record. */
export interface Predicate {
  /** @throws ConnectError for a record that it cannot judge */
  test(record: ConnectRecord): boolean;
}

/** A predicate that connectors can name in `predicates.<alias>.type`. */
export interface PredicatePlugin extends PluginDescription {
  readonly kind: 'predicate';
  /** What the spec cannot say, as for a transform. */
  readonly validate?: (settings: RawConfig) => readonly FieldError[];
  /** Settings that it does not know are ignored. @throws ConfigError */
  readonly create: (settings: RawConfig) => Predicate;
}
