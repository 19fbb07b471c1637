import type { ClusterState } from '../model/cluster-state.js';
import { memberKey, trusted, type Member } from '../model/member.js';
import { SharedMap } from '../model/shared-map.js';

type Incarnation = Pick<Member, 'nodeId' | 'incarnation'>;

/** Members under change, and the incarnations that never come back. Each map is copied at its first write. */
export class MemberDraft {
  #members: ReadonlyMap<string, Member>;
  #departed: ReadonlyMap<string, number>;
  #ownMembers?: SharedMap<Member>;
  #ownDeparted?: Map<string, number>;

  constructor({ members, departed }: Pick<ClusterState, 'members' | 'departed'>) {
    this.#members = members;
    this.#departed = departed;
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }
  get departed(): ReadonlyMap<string, number> {
    return this.#departed;
  }

  /** Returns the member, unless another incarnation of the node is one. */
  find({ nodeId, incarnation }: Incarnation): Member | undefined {
    const member = this.#members.get(nodeId);
    return member?.incarnation === incarnation ? member : undefined;
  }

  join(member: Omit<Member, 'suspectedAt' | 'joinedAt'>, seq: number): void {
    const before = this.#members.get(member.nodeId);
    if (this.#departed.has(memberKey(member))) return;
    if (before !== undefined && before.incarnation !== member.incarnation) return;
    this.#writeMembers().set(member.nodeId, { ...before, ...member, joinedAt: before?.joinedAt ?? seq });
  }

  suspect(node: Incarnation, seq: number): void {
    const member = this.find(node);
    if (member !== undefined) this.#writeMembers().set(member.nodeId, { ...member, suspectedAt: seq });
  }

  clear(node: Incarnation): void {
    const member = this.find(node);
    if (member !== undefined) this.#writeMembers().set(member.nodeId, trusted(member));
  }

  /** Keeps an incarnation out for good; returns whether it was a member. */
  leave(node: Incarnation, at: number): boolean {
    this.#writeDeparted().set(memberKey(node), at);
    if (this.find(node) === undefined) return false;
    this.#writeMembers().delete(node.nodeId);
    return true;
  }

  /** Keeps an incarnation out for good, unless it is the one that is a member. */
  reject(node: Incarnation, at: number): void {
    if (this.find(node) === undefined) this.#writeDeparted().set(memberKey(node), at);
  }

  /** Forgets who departed before a time. */
  forgetBefore(limit: number): void {
    for (const [key, departedAt] of this.#departed) {
      if (departedAt >= limit) break;
      this.#writeDeparted().delete(key);
    }
  }

  #writeMembers(): SharedMap<Member> {
    this.#ownMembers ??= new SharedMap(this.#members);
    this.#members = this.#ownMembers;
    return this.#ownMembers;
  }
  #writeDeparted(): Map<string, number> {
    this.#ownDeparted ??= new Map(this.#departed);
    this.#departed = this.#ownDeparted;
    return this.#ownDeparted;
  }
}
