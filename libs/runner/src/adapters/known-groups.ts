import { isGroupMissing, type RocketMqClient } from '@sluice/rocketmq';

/**
 * Creates consumer groups where brokers do not know them. A broker refuses reads and commits of a group that was not created on it. One that joins
 * later, or on which somebody deleted the group, gets it when it first refuses.
 */
export class KnownGroups {
  /** With the error of a creation that failed: a broker that is down must not keep the others waiting. */
  readonly #created = new Map<string, Promise<Error | undefined>>();

  constructor(private readonly client: { readonly admin: Pick<RocketMqClient['admin'], 'createGroup'> }) {}

  /** Makes a call as a group, which is created before where that was not done yet. */
  async call<T>(group: string, action: () => Promise<T>): Promise<T> {
    const creation = this.#create(group);
    await creation;
    try {
      return await action();
    } catch (error) {
      if (!isGroupMissing(error)) throw error;
      if (this.#created.get(group) === creation) this.#created.delete(group);
    }
    const failure = await this.#create(group);
    try {
      return await action();
    } catch (error) {
      throw isGroupMissing(error) ? (failure ?? error) : error;
    }
  }

  #create(group: string): Promise<Error | undefined> {
    let creation = this.#created.get(group);
    if (creation === undefined) {
      creation = this.client.admin.createGroup({ group }).then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      this.#created.set(group, creation);
    }
    return creation;
  }
}
