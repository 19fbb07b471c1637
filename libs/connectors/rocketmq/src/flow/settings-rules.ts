import { clusterErrors, type FieldError, type TaskConfig } from '@sluice/sdk';
import { parseStartOffsets } from './start-offsets.js';
import type { SourceSettings } from './settings.js';
import { topicErrors } from './topic-choice.js';

/** Checks what the settings of the source say together. */
export function settingsErrors(settings: SourceSettings, config: TaskConfig): readonly FieldError[] {
  return [
    ...clusterErrors('source.cluster.', config),
    ...dataClusterErrors(config, 'copied into'),
    ...topicErrors(settings),
    ...startErrors(settings),
  ];
}

/** The runner's own cluster is not known here: the connector asks both clusters for their queues by itself. */
export function dataClusterErrors(config: TaskConfig, what: 'copied' | 'copied into'): readonly FieldError[] {
  if ((config['data.cluster.url'] ?? '') !== '') return [];
  const names = what === 'copied' ? 'whose topics are copied' : 'that the topics are copied into';
  const message = `Missing required configuration "data.cluster.url": it names the cluster ${names}`;
  return [{ field: 'data.cluster.url', message }];
}

function startErrors(settings: SourceSettings): readonly FieldError[] {
  const { 'start.from': from, 'start.offsets': entries = [] } = settings;
  const errors: FieldError[] = [];
  for (const [name, needed] of [
    ['start.timestamp', 'timestamp'],
    ['start.offsets', 'offsets'],
  ] as const) {
    const isGiven = settings[name] !== undefined;
    if (from === needed && !isGiven) errors.push({ field: name, message: `Configuration ${name} is missing: start.from is ${needed}` });
    if (from !== needed && isGiven) {
      errors.push({ field: name, message: `Configuration ${name} has no effect with start.from=${from}: allowed with it is ${needed}` });
    }
  }
  return [...errors, ...parseStartOffsets(entries).errors];
}
