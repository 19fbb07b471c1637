import { describe, expect, it } from '@jest/globals';
import { HIDDEN_VALUE } from '@sluice/sdk';
import { shownProviderSettings } from './provider-settings.js';

describe('printed settings of config providers', () => {
  it.each([
    ['param.address', 'https://u:SECRET@vault', `https://${HIDDEN_VALUE}@vault`],
    ['param.token', 'SECRET', HIDDEN_VALUE],
    ['param.path', '/etc/x', '/etc/x'],
  ])('show of %s %s only %s', (part, text, shown) => {
    expect(shownProviderSettings([{ provider: 'vault', part, name: 'x', text, place: 'file:1' }])).toEqual([
      { setting: `config.providers.vault.${part} = ${shown}`, origin: 'file:1' },
    ]);
  });
});
