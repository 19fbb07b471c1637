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
    ['https://h/maps?key=SECRET&zoom=3', 'https://h/maps?key=[hidden]&zoom=3'],
    ['u:SECRET@h:3306', '[hidden]@h:3306'],
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
    'a:b@c',
    'mail:john@example.com',
    'https://h/list?page=2&sort=key&monkey=1&tokens=2',
    't@broker-a:0',
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
    ['https://h/maps?key=SEC%21RET', 'refused SEC!RET'],
    ['root:SECRET@db:3306', 'refused root with SECRET'],
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

  it.each([
    'jdbc:a:a:',
    'password=x',
    'token=abcdef&',
    'https://h.example/blob?sig=abcdefgh,',
    '://',
    'http://a@',
    'secret= ',
    '?aaaa',
    '&key=x',
    'a:b@c:1',
    'a:a:@@',
  ])('reads a long value of %s in a time that grows with its length alone', (part) => {
    const cost = (length: number): number => {
      const value = part.repeat(length / part.length);
      const before = process.cpuUsage();
      hideEmbedded(value);
      secretsRemover({ value }, isSecretName)(value);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    cost(25_000);
    // Linear growth makes it 32 times, quadratic 1,024 times.
    expect(cost(1_600_000)).toBeLessThan(200 * Math.max(cost(50_000), 2_500));
  });

  it.each([
    ['refused: http://u:x@h/', 'refused: http://[hidden]@h/'],
    ['GET /v1?key=SECRET failed', 'GET /v1?key=[hidden] failed'],
    ['GET https://h/a?page=2&access_token=SECRET#top', 'GET https://h/a?page=2&access_token=[hidden]#top'],
    ['url "https://h/?x=1&amp;api-key=SECRET"', 'url "https://h/?x=1&amp;api-key=[hidden]"'],
    ['https://u:SECRET@h/?sig=SECRET', 'https://[hidden]@h/?sig=[hidden]'],
    ['cannot reach root:SECRET@db:3306.', 'cannot reach [hidden]@db:3306.'],
    ['dsn="root:SEC/R@ET@[::1]:3306"', 'dsn="[hidden]@[::1]:3306"'],
    ['root:SECRET@db.example.com/orders', '[hidden]@db.example.com/orders'],
    ['root:SECRET@tcp(10.0.0.1:3306)/orders', '[hidden]@tcp(10.0.0.1:3306)/orders'],
    ['a:SECRET@h1:1,b:SECRET@h2:2', '[hidden]@h2:2'],
  ])('takes what any text may hold out of %s', (text, shown) => {
    expect(secretsRemover({}, isSecretName)(text)).toBe(shown);
  });

  it.each([
    'a:b@c',
    'to:john@example.com',
    'To: john@example.com:',
    'Sending to queue t@broker-a:0 at 12:30',
    'queues t@broker-a:0,t@broker-a:1',
    'com.example.Task@1f2e3d:4',
    'scp git@h:/srv/x',
    'at 10:30, see /a?page=key&monkey=x&token=true',
  ])('leaves %s', (text) => {
    expect(secretsRemover({}, isSecretName)(text)).toBe(text);
  });
});
