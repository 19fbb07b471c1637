import type { ConfigSpec } from './config/config-fields.js';

/** The semantic version of this package; plugin packages say in `sluice.sdk` which one they were built for. */
export const SDK_VERSION = '0.1.0';

/** What every plugin says of itself. */
export interface PluginDescription {
  /** The class name that users write, for example `FileStreamSource`. */
  readonly name: string;
  /** Other class names it answers to: those of Kafka Connect and of Apache RocketMQ Connect. */
  readonly aliases: readonly string[];
  /** A semantic version, such as `1.2.0`. A runner can have several versions of one plugin side by side. */
  readonly version: string;
  /** One sentence for lists and documentation. */
  readonly doc: string;
  /** Its own settings; the names have no prefix here. */
  readonly spec: ConfigSpec;
}
