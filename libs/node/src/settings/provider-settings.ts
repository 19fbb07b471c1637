import { HIDDEN_VALUE, hideEmbedded, isSecretName } from '@sluice/sdk';

/** A setting of a config provider as somebody wrote it. */
export interface GivenProviderSetting {
  readonly provider: string;
  /** `class`, or `param.` and the name of a setting of the provider. */
  readonly part: string;
  readonly name: string;
  readonly text: string;
  readonly place: string;
}

/** A config provider that a runner is to have. */
export interface ProviderSettings {
  /** What references call it. */
  readonly name: string;
  readonly className: string;
  readonly params: Readonly<Record<string, string>>;
}

const NAME = /^config\.providers\.([A-Za-z][\w-]{0,63})\.(class|param\..+)$/;
const VARIABLE = /^SLUICE_CONFIG_PROVIDERS_([A-Z]\w*?)_(CLASS|PARAM_\w+)$/;
const PROVIDER_NAME = /^[A-Za-z][\w-]{0,63}$/;

/** Reads the name of a setting of a config provider; `undefined` for any other name. */
export function providerSettingOf(name: string): Pick<GivenProviderSetting, 'provider' | 'part'> | undefined {
  const [, provider, part] = NAME.exec(name) ?? [];
  return provider === undefined || part === undefined ? undefined : { provider, part };
}

/** Reads the name of an environment variable: `SLUICE_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN` is `param.allowlist.pattern` of `env`. */
export function providerSettingOfVariable(variable: string): Pick<GivenProviderSetting, 'provider' | 'part'> | undefined {
  const [, provider, part] = VARIABLE.exec(variable) ?? [];
  if (provider === undefined || part === undefined) return undefined;
  return { provider: provider.toLowerCase(), part: part.toLowerCase().replaceAll('_', '.') };
}

/**
 * Puts together what each provider was given; of a setting that several places give, the first counts.
 *
 * @param names those of `config.providers`, in its order
 */
export function providersOf(
  names: readonly string[],
  given: readonly GivenProviderSetting[],
): { readonly providers: readonly ProviderSettings[]; readonly errors: readonly string[] } {
  const errors = names
    .filter((name, at) => !PROVIDER_NAME.test(name) || names.indexOf(name) !== at)
    .map(
      (name) =>
        `Invalid value ${name} for configuration config.providers: names begin with a letter, hold letters, digits, _ and -, and come once`,
    );
  for (const { provider, name, place } of given) {
    if (!names.includes(provider)) errors.push(`${place}: ${name} is given, but config.providers does not name ${provider}`);
  }
  const providers = names.map((name) => {
    const parts = new Map<string, string>();
    for (const { provider, part, text } of given) if (provider === name && text !== '' && !parts.has(part)) parts.set(part, text);
    const params = [...parts].filter(([part]) => part !== 'class').map(([part, text]) => [part.slice('param.'.length), text] as const);
    return { name, className: parts.get('class') ?? name, params: Object.fromEntries(params) };
  });
  return { providers, errors };
}

/** Lists the settings of providers with their values, for people; hides those whose names say that they are secret, and secrets inside others. */
export function shownProviderSettings(
  given: readonly GivenProviderSetting[],
): readonly { readonly setting: string; readonly origin: string }[] {
  return given.map(({ provider, part, text, place }) => {
    const name = `config.providers.${provider}.${part}`;
    return { setting: `${name} = ${isSecretName(name) ? HIDDEN_VALUE : hideEmbedded(text)}`, origin: place };
  });
}
