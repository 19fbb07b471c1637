import { type Config, type ConnectorType, type PluginInfo } from '@sluice/core';
import { type FieldDescription, type FieldState } from '@sluice/sdk';

/** What a configuration means for a connector, setting by setting. Plain JSON; secret values are hidden. */
export interface ValidationAnswer {
  /** The name of the class that answered, not an alias. */
  readonly className: string;
  readonly type: ConnectorType;
  readonly errorCount: number;
  readonly groups: readonly string[];
  /** Without a description: a name that was given and that nothing defines. */
  readonly fields: readonly { readonly description?: FieldDescription; readonly state: FieldState }[];
  /** Warnings about a valid configuration. */
  readonly warnings: readonly string[];
}

/** Questions about plugins. Only runners hold plugin code: a runner whose report lists the plugin is asked. */
export interface PluginQuestions {
  /** What the reports of live runners list; the same plugin may come once per runner. */
  list(): readonly PluginInfo[];
  /**
   * Checks a configuration with the code of the connector.
   *
   * @throws ControlPlaneUnavailableError when no runner with this plugin is there, or none of those asked answered.
   */
  validate(className: string, config: Config): Promise<ValidationAnswer>;
  /** The settings of a connector or converter, in the order of its specification. @throws like `validate`. */
  definitions(className: string): Promise<readonly FieldDescription[]>;
}
