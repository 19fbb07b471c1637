import type { ValidateAnswer } from '@sluice/protocol';
import type { Config, PluginInfo } from '@sluice/core';
import { type FieldDescription, type IsSecret, secretsAmong, secretsRemover } from '@sluice/sdk';
import { hideSecrets } from '../secrets/secret-settings.js';

/** Kafka Connect's JSON of one setting. `order` is what clients of releases before 4.1 read for `order_in_group`. */
export interface FieldDefinitionJson {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: string;
  readonly documentation: string;
  readonly group: string | null;
  readonly order_in_group: number;
  readonly order: number;
  readonly width: string;
  readonly display_name: string;
  readonly dependents: readonly string[];
}

export interface ValidationJson {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly {
    readonly definition: FieldDefinitionJson | null;
    readonly value: {
      readonly name: string;
      readonly value: string | null;
      readonly recommended_values: readonly string[];
      readonly errors: readonly string[];
      readonly visible: boolean;
    };
  }[];
  /** Beyond Kafka Connect: warnings about a valid configuration. */
  readonly warnings: readonly string[];
}

/** Kafka Connect's JSON of a plugin; beyond it what the plugin is, and of a package why its plugins are left out. */
export interface PluginJson {
  readonly class: string;
  readonly type: string;
  readonly version: string;
  readonly doc?: string;
  readonly error?: string;
}

export function pluginJson({ kind, name, version, doc, error }: PluginInfo): PluginJson {
  // Kafka Connect's word.
  const type = kind === 'transform' ? 'transformation' : kind;
  return { class: name, type, version, ...(doc === undefined ? {} : { doc }), ...(error === undefined ? {} : { error }) };
}

export function definitionJson(description: FieldDescription): FieldDefinitionJson {
  return {
    name: description.name,
    type: description.type,
    required: description.required,
    default_value: description.defaultValue,
    importance: description.importance,
    documentation: description.documentation,
    group: description.group,
    order_in_group: description.orderInGroup,
    order: description.orderInGroup,
    width: description.width,
    display_name: description.displayName,
    dependents: description.dependents,
  };
}

/** Makes the answer to a validation. It shows no secret, whoever wrote the texts: neither as a value nor inside an error. */
export function validationJson(answer: ValidateAnswer, config: Config, isSecret: IsSecret): ValidationJson {
  const hide = secretsRemover(config, isSecret);
  return {
    name: answer.className,
    error_count: answer.errorCount,
    groups: answer.groups,
    configs: answer.fields.map(({ description, state }) => ({
      definition: description === undefined ? null : definitionJson(description),
      value: {
        name: state.name,
        value: state.value === null ? null : (hideSecrets({ [state.name]: state.value }, isSecret)[state.name] ?? null),
        recommended_values: state.recommendedValues,
        errors: state.errors.map((error) => hide(error)),
        visible: state.visible,
      },
    })),
    warnings: answer.warnings.map(hide),
  };
}

/**
 * Lists every wrong setting in Kafka Connect's words; a message that does not name its setting gets it in front. Warnings follow: a misspelt
 * name is one, and often the cause of an error.
 */
export function invalidConfigMessage(answer: ValidateAnswer, config: Config, isSecret: IsSecret): string {
  const hide = secretsRemover(config, isSecret);
  const errors = answer.fields.flatMap(({ state }) =>
    state.errors.map((error) => hide(error.includes(state.name) ? error : `${state.name}: ${error}`)),
  );
  return [
    `Connector configuration is invalid and contains the following ${Math.max(answer.errorCount, errors.length)} error(s):`,
    ...errors,
    ...(answer.warnings.length === 0 ? [] : ['It has these warnings too:', ...answer.warnings.map(hide)]),
    'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  ].join('\n');
}

/** Returns which settings are secret by the plugins that have checked them. */
export function secretsOf(answer: ValidateAnswer): IsSecret {
  return secretsAmong(answer.fields.flatMap(({ description }) => (description === undefined ? [] : [description])));
}
