import { describe, expect, it } from '@jest/globals';
import { BrokerResponseError } from '@sluice/rocketmq';
import { KnownGroups } from './known-groups.js';

const missing = new BrokerResponseError(
  { request: 'PULL_MESSAGE', address: 'b:1', responseCode: 26, remark: 'subscription group [g] does not exist' },
  { retriable: false },
);

/** Brokers on which a group is missing until it was created a number of times. */
class Brokers {
  creations = 0;
  failure: Error | undefined;
  readonly groups: KnownGroups;

  constructor(private readonly needed: number) {
    this.groups = new KnownGroups({
      admin: {
        createGroup: () => {
          this.creations += 1;
          return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
        },
      },
    });
  }

  pull(): Promise<string> {
    return this.groups.call('g', () => (this.creations >= this.needed ? Promise.resolve('answer') : Promise.reject(missing)));
  }
}

describe('KnownGroups', () => {
  it('creates a group once before its calls', async () => {
    const brokers = new Brokers(1);
    await expect(Promise.all([brokers.pull(), brokers.pull()])).resolves.toEqual(['answer', 'answer']);
    await brokers.pull();
    expect(brokers.creations).toBe(1);
  });

  it('creates it again, once, for all calls that a broker refuses because it does not know the group', async () => {
    const brokers = new Brokers(2);
    await expect(Promise.all([brokers.pull(), brokers.pull()])).resolves.toEqual(['answer', 'answer']);
    expect(brokers.creations).toBe(2);
  });

  it('does not keep calls from brokers that answer when another one is down', async () => {
    const brokers = new Brokers(1);
    brokers.failure = new Error('broker-b is down');
    await expect(brokers.pull()).resolves.toBe('answer');
    await expect(brokers.pull()).resolves.toBe('answer');
    expect(brokers.creations).toBe(1);
  });

  it('rejects with why the group could not be created where it is still missing, else with the refusal', async () => {
    const brokers = new Brokers(9);
    await expect(brokers.pull()).rejects.toBe(missing);
    brokers.failure = new Error('broker-b is down');
    await expect(brokers.pull()).rejects.toBe(brokers.failure);
  });
});
