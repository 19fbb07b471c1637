import type { RawConfig } from '@sluice/sdk';

/**
 * What becomes of a setting of RocketMQ Connect's replicator:
 * - `set`: other settings with their values
 * - `note`: nothing, as a flow does what it asks for without it
 * - `refuse`: what it asks for would not happen
 */
export type AliasOutcome =
  | { readonly kind: 'set'; readonly settings: Readonly<Record<string, string>> }
  | { readonly kind: 'note' | 'refuse'; readonly reason: string };

/** Reads one setting, whose value is not empty. */
export type AliasRule = (value: string, config: RawConfig) => AliasOutcome;

export function set(settings: Readonly<Record<string, string>>): AliasOutcome {
  return { kind: 'set', settings };
}

export function note(reason: string): AliasOutcome {
  return { kind: 'note', reason };
}

export function refuse(reason: string): AliasOutcome {
  return { kind: 'refuse', reason };
}

/** Returns the value of a setting, trimmed; empty where there is none. */
export function given(config: RawConfig, name: string): string {
  return config[name]?.trim() ?? '';
}

/** Passes a value on under another name. */
export function as(name: string): AliasRule {
  return (value) => set({ [name]: value });
}

export function notNeeded(reason: string): AliasRule {
  return () => note(`Not needed: ${reason}`);
}

export function notTaken(reason: string): AliasRule {
  return () => refuse(reason);
}

export function flag(name: string): AliasRule {
  return (value) => {
    const isOn = readFlag(value);
    return isOn === undefined ? refuse('Must be true or false') : set({ [name]: String(isOn) });
  };
}

export function readFlag(value: string): boolean | undefined {
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** Passes a positive whole number on, as another unit: `factor` of ours are one of theirs. */
export function count(name: string, factor = 1): AliasRule {
  return (value) => {
    const number = Number(value) * factor;
    const isAllowed = /^\d+$/.test(value) && number > 0 && Number.isSafeInteger(number);
    return isAllowed ? set({ [name]: String(number) }) : refuse('Must be a whole number above 0');
  };
}

/** Reads addresses of name servers, `host:port;host:port`, as the URL of a cluster. */
export function clusterUrl(name: string): AliasRule {
  return (value) => {
    const addresses = value.split(/[;,]/).map((address) => address.trim());
    if (addresses.every((address) => /^[^\s:/]+:\d{1,5}$/.test(address))) return set({ [name]: `rocketmq://${addresses.join(',')}` });
    return refuse('Must be addresses of name servers, as in host:port;host:port');
  };
}

/** Reads the switch of a cluster's access control: both keys have to be there. */
export function accessControl(accessKey: string, secretKey: string): AliasRule {
  return (value, config) => {
    const isOn = readFlag(value);
    if (isOn === undefined) return refuse('Must be true or false');
    if (!isOn) return note('Not needed: requests are signed where there are keys');
    const missing = [accessKey, secretKey].filter((name) => given(config, name) === '');
    return missing.length === 0 ? note('Not needed: requests are signed where there are keys') : refuse(`Needs ${missing.join(' and ')}`);
  };
}

/** Passes a key on, unless the switch of its cluster is off. */
export function accessValue(name: string, enabled: string): AliasRule {
  return (value, config) => {
    if (readFlag(given(config, enabled)) === true) return set({ [name]: value });
    return note(`Not used, as ${enabled} is not true`);
  };
}
