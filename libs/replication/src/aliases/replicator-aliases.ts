import { type FieldError, HIDDEN_VALUE, type RawConfig } from '@sluice/sdk';
import type { AliasOutcome } from './alias-outcome.js';
import { given } from './alias-outcome.js';
import { ALIAS_RULES, SECRET_ALIASES } from './alias-rules.js';

export interface ReadAliases {
  /** The settings to use: those of the replicator replaced, all others untouched. */
  readonly settings: RawConfig;
  /** Settings of the replicator that would not do what they say; each names the setting, what was given, and what is allowed. */
  readonly refusals: readonly FieldError[];
  /** Settings of the replicator that change nothing, as `name: why`. */
  readonly notes: readonly string[];
}

/** The setting that several of the replicator's add to. */
const TOPICS = 'topics';

/**
 * Reads the settings of RocketMQ Connect's replicator, of both generations, as those of a flow. Each is honoured, found needless, or refused. A setting
 * given in both ways is refused, as nobody knows which one is meant.
 */
export function readReplicatorAliases(config: RawConfig): ReadAliases {
  const names = Object.keys(ALIAS_RULES).filter((name) => Object.hasOwn(config, name));
  if (names.length === 0) return { settings: config, refusals: [], notes: [] };
  const settings = new Map(Object.entries(config).filter(([name]) => !Object.hasOwn(ALIAS_RULES, name)));
  const origins = new Map<string, string>();
  const refusals: FieldError[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const outcome = outcomeOf(name, config);
    if (outcome?.kind === 'note') notes.push(`${name}: ${outcome.reason}`);
    if (outcome?.kind === 'refuse') refusals.push(refusal(name, config, outcome.reason));
    if (outcome?.kind !== 'set') continue;
    for (const [target, value] of Object.entries(outcome.settings)) {
      const origin = origins.get(target);
      if (origin === undefined ? given(config, target) !== '' : target !== TOPICS) {
        refusals.push(refusal(name, config, `${target} is given too, by ${origin ?? 'its own name'}: give one of them`));
        continue;
      }
      settings.set(target, origin === undefined ? value : `${settings.get(target) ?? ''},${value}`);
      origins.set(target, name);
    }
  }
  return { settings: Object.fromEntries(settings), refusals, notes };
}

/** Empty settings of the replicator are as good as none. */
function outcomeOf(name: string, config: RawConfig): AliasOutcome | undefined {
  const value = given(config, name);
  return value === '' ? undefined : ALIAS_RULES[name]?.(value, config);
}

function refusal(field: string, config: RawConfig, reason: string): FieldError {
  const shown = SECRET_ALIASES.has(field) ? HIDDEN_VALUE : given(config, field);
  return { field, message: `Invalid value ${shown} for configuration ${field}: ${reason}` };
}
