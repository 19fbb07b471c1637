import type { ValidateAnswer } from '@sluice/protocol';
import { describe, expect, it } from '@jest/globals';
import { HIDDEN_VALUE, isSecretName } from '@sluice/sdk';
import { invalidConfigMessage, validationJson } from './plugin-answers.js';

function answerWith(name: string, value: string, errors: readonly string[]): ValidateAnswer {
  const state = { name, value, errors, recommendedValues: [], visible: true };
  return { className: 'C', type: 'source', errorCount: errors.length, groups: [], fields: [{ state }], warnings: [] };
}

describe('a setting that nothing defines', () => {
  it('has no definition', () => {
    const answer = answerWith('topci', 't', ['Configuration topci is not a known setting.']);
    expect(validationJson(answer, { topci: 't' }, isSecretName).configs).toEqual([
      {
        definition: null,
        value: {
          name: 'topci',
          value: 't',
          recommended_values: [],
          errors: ['Configuration topci is not a known setting.'],
          visible: true,
        },
      },
    ]);
  });

  it('is hidden when its name says that it is secret', () => {
    const answer = answerWith('db.password', 'hunter2', ['hunter2 is too short']);
    const text = JSON.stringify(validationJson(answer, { 'db.password': 'hunter2' }, isSecretName));
    expect(text).toContain(`${HIDDEN_VALUE} is too short`);
    expect(text).not.toContain('hunter2');
  });
});

describe('the text of an invalid configuration', () => {
  it('puts the name of a setting in front of a message that does not hold it', () => {
    const lines = invalidConfigMessage(answerWith('file', 'f', ['must be absolute']), { file: 'f' }, isSecretName).split('\n');
    expect(lines[0]).toBe('Connector configuration is invalid and contains the following 1 error(s):');
    expect(lines[1]).toBe('file: must be absolute');
  });

  it('names what is suspect beside what is wrong: a misspelt setting may be the cause', () => {
    const warnings = ['Configuration flie is not a known setting. Did you mean file?'];
    const answer = { ...answerWith('file', '', ['Missing required configuration "file"']), warnings };
    expect(invalidConfigMessage(answer, { flie: 'f' }, isSecretName).split('\n').slice(1, -1)).toEqual([
      'Missing required configuration "file"',
      'It has these warnings too:',
      ...warnings,
    ]);
  });
});
