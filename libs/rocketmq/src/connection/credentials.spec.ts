import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from './call-deadline.js';
import { RocketMqClient } from '../rocketmq-client.js';
import { CredentialsUnavailableError, InvalidArgumentError } from '../errors.js';
import { CredentialsCache, type Credentials } from './credentials.js';

const FIRST: Credentials = { accessKey: 'ak', secretKey: 'the-secret', securityToken: 'the-token' };
const SECOND: Credentials = { accessKey: 'ak2', secretKey: 'other-secret' };
const deadline = (): CallDeadline => new CallDeadline(2_000, undefined);

describe('CredentialsCache', () => {
  it('asks a function once for all who wait, and again when a broker refused its answer', async () => {
    const answers = [FIRST, SECOND];
    const cache = new CredentialsCache(() => Promise.resolve(answers.shift() ?? SECOND));
    expect(cache.isReady).toBe(false);
    await Promise.all([cache.load(deadline()), cache.load(deadline())]);
    expect(cache.isReady).toBe(true);
    expect(cache.current).toEqual(FIRST);
    const refused = cache.version;
    expect(await Promise.all([cache.renew(refused, deadline()), cache.renew(refused, deadline())])).toEqual([true, true]);
    expect(cache.current?.accessKey).toBe('ak2');
    expect(answers).toEqual([]);
    expect(await cache.renew(cache.version, deadline())).toBe(false);
  });

  it('asks again for an answer that was under way when a broker refused the last one', async () => {
    let answer: ((credentials: Credentials) => void) | undefined;
    const answers = [Promise.resolve(FIRST), new Promise<Credentials>((resolve) => (answer = resolve))];
    const cache = new CredentialsCache(() => answers.shift() ?? SECOND);
    await cache.load(deadline());
    const loading = cache.load(deadline());
    const renewing = cache.renew(cache.version, deadline());
    answer?.(FIRST);
    await loading;
    expect(await renewing).toBe(true);
    expect(cache.current?.accessKey).toBe('ak2');
  });

  it('keeps the last credentials while the function fails, and says so when it never gave any', async () => {
    let isFailing = true;
    const cache = new CredentialsCache(() => {
      if (isFailing) throw new Error('vault sealed');
      return FIRST;
    });
    await expect(cache.load(deadline())).rejects.toBeInstanceOf(CredentialsUnavailableError);
    isFailing = false;
    await cache.load(deadline());
    isFailing = true;
    expect(await cache.renew(cache.version, deadline())).toBe(false);
    expect(cache.current).toEqual(FIRST);
  });

  it('drops the late answer of a function that was replaced', async () => {
    let answer: ((credentials: Credentials) => void) | undefined;
    const answered = new Promise<Credentials>((resolve) => (answer = resolve));
    const cache = new CredentialsCache(() => answered);
    const loading = cache.load(deadline());
    cache.set(SECOND);
    answer?.(FIRST);
    await loading;
    expect(cache.current?.accessKey).toBe('ak2');
  });

  it('refuses empty keys without telling the other one', () => {
    const create = (): unknown => new CredentialsCache({ accessKey: '', secretKey: 'the-secret' });
    expect(create).toThrow(InvalidArgumentError);
    expect(create).not.toThrow('the-secret');
  });

  it('shows no secret of a client, to inspect or as JSON', async () => {
    const client = RocketMqClient.open({ namesrv: '127.0.0.1:1', credentials: FIRST });
    const error: unknown = await client.admin.listTopics({ timeoutMs: 500 }).catch((reason: unknown) => reason);
    const shown = [client, error, new CredentialsCache(FIRST)].flatMap((value) => [
      inspect(value, { depth: 20, showHidden: true }),
      JSON.stringify(value),
    ]);
    expect(error).toBeInstanceOf(Error);
    for (const text of shown) expect(text).not.toMatch(/the-secret|the-token/);
    await client.close();
  });
});
