import type { ConfigSpec } from './config/config-fields.js';

/** What every plugin says of itself. */
export interface PluginDescription {
  /** The class name that users write, for example `FileStreamSource`. */
  readonly name: string;
  /** Other class names it answers to: those of Kafka Connect and of Apache RocketMQ Connect. */
  readonly aliases: readonly string[];
  readonly version: string;
  /** One sentence for lists and documentation. */
  readonly doc: string;
  /** Its own settings; the names have no prefix here. */
  readonly spec: ConfigSpec;
}
