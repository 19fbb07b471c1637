import { connectorClass, type Config } from '@sluice/core';
import type { PluginRegistry } from '../plugins/plugin-registry.js';
import { withoutSecrets } from '../plugins/validate-connector.js';
import { errorTrace, shortenedTrace } from './error-trace.js';

/** The text of a task's error with its causes, without the values of the secret settings that the task has. */
export function describeTaskError(error: unknown, config: Config, plugins: PluginRegistry): string {
  return shortenedTrace(withoutSecrets(errorTrace(error), plugins.find(connectorClass(config)), config));
}
