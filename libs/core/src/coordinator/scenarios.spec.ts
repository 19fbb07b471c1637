import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { played, ScenarioError } from '../testing/scenario.js';

const folder = fileURLToPath(new URL('./testdata/', import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
/** Set by `npm run test:scenarios -- --rewrite`. */
const isRewriting = process.env['SLUICE_REWRITE_SCENARIOS'] === '1';

describe('the coordinator', () => {
  it.each(files)('acts as %s says', (file) => {
    const text = readFileSync(folder + file, 'utf8');
    const now = played(text);
    if (isRewriting) writeFileSync(folder + file, now);
    else expect(now).toBe(text);
  });
});

describe('a scenario', () => {
  it.each([
    ['> leap', 'leap is no input; allowed are log, start,'],
    ['> head', 'no coordinator has started yet'],
    ['> leading\n> pass soon', 'line 2, > pass soon: the time in ms is soon; allowed are whole numbers'],
    ['> leading\n> target a UP', 'the target state is UP; allowed are'],
    ['> leading\n> stop now', 'now means nothing here'],
    ['> leading\n> delete', 'the connector is missing'],
  ])('refuses %j', (text, message) => {
    expect(() => played(text)).toThrow(ScenarioError);
    expect(() => played(text)).toThrow(message);
  });

  it('keeps its comments and inputs, and nothing of the effects that stood there', () => {
    const text = '# A comment.\n\n> leading\n  an old effect\n    of two lines\n> delete a\n  older\n';
    expect(played(text)).toMatch(/^# A comment\.\n\n> leading\n> delete a\n {2}append after seq \d+\n {4}command\.done .*\n$/);
  });
});
