import { describe, expect, it } from '@jest/globals';
import type { FieldError, SourceConnector, TaskConfig } from '@sluice/sdk';
import { type CheckLimits, ConnectorChecks } from './connector-checks.js';

type Validate = NonNullable<SourceConnector['validate']>;

const limits: CheckLimits = { limitMs: 100, maxRunning: 2, maxWaiting: 1 };
const LATE = 'The check of Looking did not end within 100 ms';

function looking(validate: Validate | undefined): SourceConnector {
  return {
    kind: 'source',
    name: 'Looking',
    aliases: [],
    version: '1.0.0',
    doc: 'Looks.',
    spec: {},
    ...(validate === undefined ? {} : { validate }),
    taskConfigs: (config) => [config],
    createTask: () => {
      throw new Error('not needed');
    },
  };
}

/** A connector whose checks end when the spec says so, or never; it pays no attention to the signal. */
class HeldChecks {
  readonly begun: { readonly config: TaskConfig; readonly signal: AbortSignal; readonly end: (errors: readonly FieldError[]) => void }[] =
    [];
  readonly connector = looking(
    (config, signal) =>
      new Promise((end) => {
        this.begun.push({ config, signal, end });
      }),
  );
}

const patient = { ...limits, limitMs: 60_000 };

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('the checks of connectors', () => {
  it.each([undefined, 'all right', [undefined], [{ field: 'url' }]])('refuse the answer %j', async (answer) => {
    const checks = new ConnectorChecks(limits);
    const connector = looking((() => Promise.resolve(answer)) as unknown as Validate);
    await expect(checks.run(connector, {})).rejects.toThrow('validate must answer a list of errors, each with field and message');
  });

  it('answer what a connector finds, at once or later, and nothing where it checks nothing', async () => {
    const checks = new ConnectorChecks(limits);
    const errors = [{ field: 'url', message: 'nobody answers' }];
    await expect(
      checks.run(
        looking(() => errors),
        {},
      ),
    ).resolves.toEqual(errors);
    await expect(
      checks.run(
        looking(() => Promise.resolve(errors)),
        {},
      ),
    ).resolves.toEqual(errors);
    await expect(checks.run(looking(undefined), {})).resolves.toEqual([]);
  });

  it('pass on what a connector throws', async () => {
    const checks = new ConnectorChecks(limits);
    const throwing = looking(() => {
      throw new Error('broken');
    });
    await expect(checks.run(throwing, {})).rejects.toThrow('broken');
    await expect(
      checks.run(
        looking(() => Promise.reject(new Error('broken later'))),
        {},
      ),
    ).rejects.toThrow('broken later');
  });

  it('end one that takes too long, as an error that may pass, and abort its signal', async () => {
    const held = new HeldChecks();
    await expect(new ConnectorChecks(limits).run(held.connector, {})).rejects.toMatchObject({ message: LATE, retriable: true });
    expect(held.begun).toHaveLength(1);
    expect(held.begun[0]?.signal).toMatchObject({ aborted: true, reason: { message: LATE } });
  });

  it('are few of one connector at a time; the next begins when one ends, and others are not concerned', async () => {
    const [held, other] = [new HeldChecks(), new HeldChecks()];
    const checks = new ConnectorChecks(patient);
    const results = ['1', '2', '3'].map((name) => checks.run(held.connector, { name }));
    const further = checks.run(other.connector, {});
    await turns();
    expect(held.begun.map(({ config }) => config['name'])).toEqual(['1', '2']);
    expect(other.begun).toHaveLength(1);
    held.begun[1]?.end([]);
    await turns();
    expect(held.begun.map(({ config }) => config['name'])).toEqual(['1', '2', '3']);
    for (const { end } of [...held.begun, ...other.begun]) end([]);
    await expect(Promise.all([...results, further])).resolves.toEqual([[], [], [], []]);
  });

  it('are refused where too many wait', async () => {
    const held = new HeldChecks();
    const checks = new ConnectorChecks(patient);
    const results = ['1', '2', '3'].map((name) => checks.run(held.connector, { name }));
    await expect(checks.run(held.connector, { name: '4' })).rejects.toMatchObject({
      retriable: true,
      message: '2 checks of Looking are under way, and 1 wait already',
    });
    for (let ended = 0; ended < 3; ended += 1) {
      held.begun[ended]?.end([]);
      await turns();
    }
    await expect(Promise.all(results)).resolves.toHaveLength(3);
  });

  it('that were given up keep their places until they end, and a wait for a place ends in time too', async () => {
    const held = new HeldChecks();
    const checks = new ConnectorChecks(limits);
    const given = await Promise.allSettled([1, 2, 3].map(() => checks.run(held.connector, {})));
    expect(given.map((each) => each.status === 'rejected' && (each.reason as Error).message)).toEqual([LATE, LATE, LATE]);
    expect(held.begun).toHaveLength(2);
    held.begun[0]?.end([]);
    await turns();
    const next = checks.run(held.connector, {});
    await turns();
    held.begun[2]?.end([]);
    await expect(next).resolves.toEqual([]);
  });
});
