import type { ValidateAnswer } from '@sluice/protocol';
import { type Config, isPlacementKey, parsePlacement } from '@sluice/core';
import type { FieldDescription } from '@sluice/sdk';

const GROUP = 'Placement';

/** Keeps the settings that are a connector's own. Where its tasks run is the cluster's affair: the gateway asks no plugin about it. */
export function withoutPlacement(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !isPlacementKey(name)));
}

/** Adds what is to say about the `placement.*` settings to the answer of a plugin. */
export function withPlacement(answer: ValidateAnswer, config: Config): ValidateAnswer {
  const names = Object.keys(config).filter(isPlacementKey);
  if (names.length === 0) return answer;
  const parsed = parsePlacement(config);
  const errors = parsed.ok ? [] : parsed.errors;
  return {
    ...answer,
    errorCount: answer.errorCount + errors.length,
    groups: [...answer.groups, GROUP],
    fields: [
      ...answer.fields,
      ...names.map((name, index) => ({
        description: describe(name, index + 1),
        state: {
          name,
          value: config[name] ?? null,
          recommendedValues: [],
          errors: errors.filter(({ field }) => field === name).map(({ message }) => message),
          visible: true,
        },
      })),
    ],
  };
}

function describe(name: string, orderInGroup: number): FieldDescription {
  return {
    name,
    type: 'STRING',
    required: false,
    defaultValue: null,
    importance: 'LOW',
    documentation: 'Tasks run only on runners that carry this label, see SLUICE_LABELS of a node.',
    group: GROUP,
    orderInGroup,
    width: 'SHORT',
    displayName: name,
    dependents: [],
    recommendedValues: [],
    aliases: [],
    secret: false,
  };
}
