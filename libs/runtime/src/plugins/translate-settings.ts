import { type Connector, type FieldError, HIDDEN_VALUE, type TaskConfig } from '@sluice/sdk';
import type { ResolvedConfig } from '../secrets/resolved-config.js';

/** Settings as a connector gets them, and what it said of those that users wrote. */
export interface Translation {
  readonly resolved: ResolvedConfig;
  readonly errors: readonly FieldError[];
  readonly notes: readonly string[];
}

/** Has a connector translate settings of another system, before anything else reads them. What users wrote stays visible. */
export function translateSettings(connector: Connector | undefined, resolved: ResolvedConfig): Translation {
  const translation = connector?.translateSettings?.(resolved.config);
  if (connector?.translateSettings === undefined || translation === undefined) return { resolved, errors: [], notes: [] };
  const { settings, errors, notes } = translation;
  if (settings === resolved.config) return { resolved, errors, notes };
  const ofWritten = connector.translateSettings(resolved.written).settings;
  return { resolved: resolved.withSettings(settings, writtenOf(settings, ofWritten, resolved)), errors, notes };
}

/** Shows a translated setting with the references that it was written with, and never with their values. */
function writtenOf(settings: TaskConfig, ofWritten: TaskConfig, { config, written, values }: ResolvedConfig): TaskConfig {
  const added = Object.entries(settings).filter(([name, value]) => config[name] !== value);
  const shown = added.map(([name, value]) => [name, ofWritten[name] ?? (values.length === 0 ? value : HIDDEN_VALUE)] as const);
  return { ...written, ...Object.fromEntries(shown) };
}
