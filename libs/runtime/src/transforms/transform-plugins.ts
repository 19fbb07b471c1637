import { PREDICATE_PLUGINS, TRANSFORM_PLUGINS } from '@sluice/transforms';
import { PluginTable } from '../catalog/plugin-table.js';

/** The transforms that every runner has. */
export const BUILT_IN_TRANSFORMS = new PluginTable('transforms', TRANSFORM_PLUGINS);
/** The predicates that every runner has. */
export const BUILT_IN_PREDICATES = new PluginTable('predicates', PREDICATE_PLUGINS);
