import { describe, expect, it } from '@jest/globals';
import { hideEmbedded } from './embedded-secrets.js';
import { isSecretName, secretsRemover } from './secrets.js';

describe('hideEmbedded', () => {
  it.each([
    ['http://u:SECRET@h:80/p', 'http://[hidden]@h:80/p'],
    ['https://SECRET@h', 'https://[hidden]@h'],
    ['http://u:SEC/RE@T@h', 'http://[hidden]@h'],
    ['http://h1/,http://u:SECRET@h2', 'http://h1/,http://[hidden]@h2'],
    ['http://a:SECRET@h1 http://b:SECRET@h2', 'http://[hidden]@h1 http://[hidden]@h2'],
    ['jdbc:oracle:thin:scott/SECRET@//h', '[hidden]'],
    ['org.x.PlainLoginModule required username="u" password="SECRET";', '[hidden]'],
    ['client_secret=SECRET', '[hidden]'],
    ['{"token": "SECRET"}', '[hidden]'],
    ['{\\"password\\":\\"SECRET\\"}', '[hidden]'],
    ['Authorization: Bearer SECRET', '[hidden]'],
    ['Endpoint=sb://x/;SharedAccessKey=SECRET', '[hidden]'],
    ['https://h/blob?sig=SECRET', '[hidden]'],
  ])('shows %s as %s', (value, shown) => {
    expect(hideEmbedded(value)).toBe(shown);
  });

  it.each(['http://h:80/a', 'file:///a@b', 'a@b.c', 'token', 'jdbc:oracle:thin:@//h', 'design=x', 'password='])(
    'leaves %s',
    (value) => {
      expect(hideEmbedded(value)).toBe(value);
    },
  );
});

describe('the remover of secrets', () => {
  it.each([
    ['http://u:SECRET@h', 'login of u with SECRET refused at http://u:SECRET@h/'],
    ['http://u:SEC%21RET@h', 'refused SEC!RET'],
    ['http://u:SECRET1@h1,http://v:SECRET2@h2', 'refused SECRET1 and SECRET2'],
    ['x required username="u" password="SECRET";', 'refused SECRET'],
    ['x required password=SECRET;', 'refused SECRET'],
    ['jdbc:oracle:thin:scott/SECRET@h', 'refused SECRET'],
  ])('takes what %s holds out of a text', (value, text) => {
    const shown = secretsRemover({ url: value }, isSecretName)(text);
    expect(shown).not.toMatch(/SECRET|SEC!RET/);
    expect(shown).toContain('refused');
  });

  it('takes the userinfo of any URL out of a text', () => {
    expect(secretsRemover({}, isSecretName)('refused: http://u:x@h/')).toBe('refused: http://[hidden]@h/');
  });
});
