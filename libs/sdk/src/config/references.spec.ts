import { describe, expect, it } from '@jest/globals';
import { hideEmbedded } from './embedded-secrets.js';
import { escapeReferences, isReference, parseReferences, replaceReferences } from './references.js';
import { isSecretName, secretsRemover } from './secrets.js';

const text = (value: string) => ({ kind: 'text', text: value });

describe('a value with references', () => {
  it.each([
    ['${env:A}', [{ kind: 'reference', source: '${env:A}', provider: 'env', key: [text('A')] }]],
    [
      'a ${file:/x.properties:b:c} d',
      [
        text('a '),
        { kind: 'reference', source: '${file:/x.properties:b:c}', provider: 'file', path: [text('/x.properties')], key: [text('b:c')] },
        text(' d'),
      ],
    ],
    ['$${env:A} ${topic} $1 ${ {}', [text('${env:A} ${topic} $1 ${ {}')]],
    ['$$${env:A}', [text('$${env:A}')]],
    ['x${env:A', [text('x'), { kind: 'broken', source: '${env:', reason: 'has no closing brace' }]],
  ])('is split: %s', (value, parts) => {
    expect(parseReferences(value)).toEqual(parts);
  });

  it('may have references inside each other', () => {
    const inner = { kind: 'reference', source: '${env:STAGE}', provider: 'env', key: [text('STAGE')] };
    const value = '${file:/etc/${env:STAGE}.properties:password}';
    const path = [text('/etc/'), inner, text('.properties')];
    expect(parseReferences(value)).toEqual([{ kind: 'reference', source: value, provider: 'file', path, key: [text('password')] }]);
    const deep = `${'${env:'.repeat(6)}A${'}'.repeat(6)}`;
    expect(parseReferences(deep)).toMatchObject([{ kind: 'broken', reason: 'holds more than 5 references inside each other' }]);
  });

  it.each(['${topic}', 'a ${env:A} $${b', '$$${env:A}', '$$', 'plain'])('can be escaped: %s', (value) => {
    expect(parseReferences(escapeReferences(value))).toEqual([text(value)]);
  });

  it('is left by an escape that nothing needs', () => {
    expect(escapeReferences('${topic}-x')).toBe('${topic}-x');
  });

  it('can have them replaced', () => {
    expect(replaceReferences('${env:A}-$${env:A}-${env:B}', () => '?')).toBe('?-$${env:A}-?');
  });

  it('is a reference only without other text', () => {
    expect(['${env:A}', ' ${env:A}${env:B}', 'x${env:A}', '$${env:A}', '${a}', ''].map(isReference)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('the replacement of references', () => {
  it('leaves an escape of the same text', () => {
    expect(replaceReferences('$${env:A}${env:A}', () => '?')).toBe('$${env:A}?');
  });
});

describe('what is hidden of a value with references', () => {
  it.each([
    'jdbc:mysql://u:${env:P}@h/db',
    'mongodb://${env:U}:${env:P}@h',
    'password=${file:/a:b};user=u',
    'jdbc:oracle:thin:scott/${env:P}@//h',
    'https://h/?token=${env:T}&x=1',
    'Authorization: Bearer ${env:T}',
    'x required username="u" password="${dir:/run:p}";',
  ])('is nothing where only references are secret: %s', (value) => {
    expect(hideEmbedded(value)).toBe(value);
  });

  it.each(['http://u:SECRET${env:P}@h', 'password=SECRET;token=${env:T}', 'http://u:SECRET@h/?token=${env:T}'])(
    'is all of it where a secret is written too: %s',
    (value) => {
      expect(hideEmbedded(value)).toBe('[hidden]');
    },
  );

  it('is in texts what a reference stands for, never the reference', () => {
    const config = { password: 'S3CRET!pw', url: 'http://u:${env:P}@h', 'x.token': '${env:T}' };
    const hide = secretsRemover(config, isSecretName, [{ value: 'S3CRET!pw', source: '${env:P}' }]);
    expect(hide('refused S3CRET!pw; see ${env:T}')).toBe('refused ${env:P}; see ${env:T}');
  });
});

describe('the remover of secrets', () => {
  const secret = 'p ä+ss/w0rd!?';
  const hide = secretsRemover({ password: secret }, isSecretName);

  it.each([
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['hex', Buffer.from(secret).toString('hex')],
    ['hex in capitals', Buffer.from(secret).toString('hex').toUpperCase()],
    ['a URL', encodeURIComponent(secret)],
    ['a form', new URLSearchParams({ x: secret }).toString().slice(2)],
  ])('finds it in %s', (_, form) => {
    expect(form).not.toBe(secret);
    expect(hide(`a ${form} b`)).not.toContain(form);
  });

  it.each(['', 'u', 'us', 'use', 'user'])('finds it in base64 behind "%s"', (before) => {
    const whole = Buffer.from(`${before}:${secret}:x`).toString('base64');
    const left = hide(`Basic ${whole}`).replace('[hidden]', '');
    const shown = Buffer.from(left.slice(6), 'base64').toString('latin1');
    expect(hide(`Basic ${whole}`)).toContain('[hidden]');
    expect(shown).not.toContain('w0rd');
  });
});
