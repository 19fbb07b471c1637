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
    ['password: SECRET', '[hidden]'],
    ['X-Api-Key: SECRET', '[hidden]'],
    ['user=u pass=SECRET', '[hidden]'],
    ['<password>SECRET</password>', '[hidden]'],
  ])('shows %s as %s', (value, shown) => {
    expect(hideEmbedded(value)).toBe(shown);
  });

  it.each([
    'http://h:80/a',
    'file:///a@b',
    'a@b.c',
    'token',
    'jdbc:oracle:thin:@//h',
    'design=x',
    'password=',
    'token:string,bypass=x',
    'http://h:80/users/a@b',
    '{"url":"http://h:80/","mail":"a@b"}',
  ])('leaves %s', (value) => {
    expect(hideEmbedded(value)).toBe(value);
  });
});

describe('the remover of secrets', () => {
  it.each([
    ['http://u:SECRET@h', 'login of u with SECRET refused at http://u:SECRET@h/'],
    ['http://u:SEC%21RET@h', 'refused SEC!RET'],
    ['http://u:SECRET1@h1,http://v:SECRET2@h2', 'refused SECRET1 and SECRET2'],
    ['x required username="u" password="SECRET";', 'refused SECRET'],
    ['x required password=SECRET;', 'refused SECRET'],
    ['jdbc:oracle:thin:scott/SECRET@h', 'refused SECRET'],
    ['jdbc:oracle:thin:a/x1@h,jdbc:oracle:thin:b/SECRET@h', 'refused SECRET'],
    ['Authorization: Bearer SECRET', 'refused Bearer SECRET and SECRET'],
    ['{"authorization":"Bearer SECRET"}', 'refused SECRET'],
    ['http://u:SEC!RET@h', 'refused SEC!RET and SEC%21RET'],
  ])('takes what %s holds out of a text', (value, text) => {
    const shown = secretsRemover({ url: value }, isSecretName)(text);
    expect(shown).not.toMatch(/SECRET|SEC!RET/);
    expect(shown).toContain('refused');
  });

  it.each([
    ['x.password', 'a password="SECRET";'],
    ['credentials.json', '{"private_key":"SECRET"}'],
    ['secret.url', 'http://u:SECRET@h'],
    ['pin.secret', ' SECRET\n'],
  ])('takes the parts of the secret setting %s out of a text', (name, value) => {
    expect(secretsRemover({ [name]: value }, isSecretName)('refused SECRET')).toBe('refused [hidden]');
  });

  it('takes the form that JSON gives a secret out of a text', () => {
    expect(secretsRemover({ password: 'a"b\\c' }, isSecretName)(JSON.stringify({ p: 'a"b\\c' }))).toBe('{"p":"[hidden]"}');
  });

  it('leaves words that are assigned but are no secret', () => {
    expect(secretsRemover({ options: 'use_token=true' }, isSecretName)('it is true')).toBe('it is true');
  });

  it.each(['jdbc:a:a:', 'password=x', 'token=abcdef&', 'https://h.example/blob?sig=abcdefgh,', '://', 'http://a@', 'secret= '])(
    'reads a long value of %s in a time that grows with its length alone',
    (part) => {
      const cost = (length: number): number => {
        const value = part.repeat(length / part.length);
        const before = process.cpuUsage();
        hideEmbedded(value);
        secretsRemover({ value }, isSecretName)(value);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      };
      cost(25_000);
      // Quadratic growth makes it 256 times.
      expect(cost(1_600_000)).toBeLessThan(64 * Math.max(cost(100_000), 5_000));
    },
  );

  it('takes the userinfo of any URL out of a text', () => {
    expect(secretsRemover({}, isSecretName)('refused: http://u:x@h/')).toBe('refused: http://[hidden]@h/');
  });
});
