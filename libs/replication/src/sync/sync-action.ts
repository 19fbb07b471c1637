/** Settings of a topic as brokers keep them. */
export interface TopicShape {
  readonly readQueues: number;
  readonly writeQueues: number;
  /** Bits: 4 read, 2 write. */
  readonly perm: number;
  readonly isOrdered: boolean;
  readonly attributes: ReadonlyMap<string, string>;
}

/** How long a group's messages are hidden after a failed delivery. */
export type RetryPolicyShape =
  | { readonly type: 'customized' }
  | { readonly type: 'exponential'; readonly initialMs?: number; readonly maxMs?: number; readonly multiplier?: number };

/** Settings of a consumer group as brokers keep them. */
export interface GroupShape {
  readonly isConsumeEnabled: boolean;
  readonly isConsumeFromMinEnabled: boolean;
  readonly isBroadcastEnabled: boolean;
  readonly isOrdered: boolean;
  readonly retryQueues: number;
  readonly retryMaxTimes: number;
  readonly retryPolicy: RetryPolicyShape;
  readonly brokerId: number;
  readonly slowBrokerId: number;
  readonly isMemberChangeNotified: boolean;
  readonly consumeTimeoutMinutes: number;
  readonly attributes: ReadonlyMap<string, string>;
}

/** A secret, which no text, log or JSON shows. */
export class HiddenText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  isSame(other: HiddenText | undefined): boolean {
    return other !== undefined && other.#value === this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }
}

/** A user of ACL 2.0. */
export interface UserShape {
  readonly userType: 'Super' | 'Normal';
  readonly isEnabled: boolean;
  /** Undefined where the broker does not show it. */
  readonly password: HiddenText | undefined;
  /** By resource, such as `Topic:orders`, or `default Topic:orders` for rules that hold where no other does. */
  readonly rules: ReadonlyMap<string, RuleShape>;
}

/** What ACL 2.0 says of one resource. */
export interface RuleShape {
  readonly actions: readonly string[];
  readonly sourceIps: readonly string[];
  readonly decision: 'Allow' | 'Deny';
}

export type PlainPermShape = 'DENY' | 'PUB' | 'SUB' | 'PUB|SUB';

/** An account of plain ACL. */
export interface AccountShape {
  /** Undefined where the broker does not show it. */
  readonly secretKey: HiddenText | undefined;
  readonly whiteRemoteAddress: string | undefined;
  readonly isAdmin: boolean;
  readonly defaultTopicPerm: PlainPermShape;
  readonly defaultGroupPerm: PlainPermShape;
  readonly topicPerms: ReadonlyMap<string, PlainPermShape>;
  readonly groupPerms: ReadonlyMap<string, PlainPermShape>;
}

/** Changes of a topic; what is undefined stays. */
export interface TopicChange {
  readonly readQueues?: number;
  readonly writeQueues?: number;
  readonly perm?: number;
  readonly isOrdered?: boolean;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly removedAttributes?: readonly string[];
}

/** Changes of a group; what is undefined stays. */
export type GroupChange = Partial<Omit<GroupShape, 'attributes'>> & { readonly attributes?: Readonly<Record<string, string>> };

interface ActionBase {
  /** The name at the target: of a topic, a group, a user or an account. */
  readonly name: string;
  /** The broker of the target that it changes; undefined where it concerns all of them. */
  readonly broker: string | undefined;
  /** What was made where it succeeds: `''` the thing itself, else parts of it, such as the resource of a rule. */
  readonly makes?: readonly string[];
  /** The parts that are gone where it succeeds. */
  readonly unmakes?: readonly string[];
}

/** One change of the target. */
export type SyncAction = ActionBase &
  (
    | { readonly kind: 'create-topic'; readonly settings: TopicShape }
    | { readonly kind: 'update-topic'; readonly change: TopicChange }
    | { readonly kind: 'delete-topic' }
    | { readonly kind: 'create-group'; readonly change: GroupChange }
    | { readonly kind: 'update-group'; readonly change: GroupChange }
    | { readonly kind: 'delete-group' }
    | { readonly kind: 'create-user'; readonly password: HiddenText; readonly userType: 'Super' | 'Normal' }
    | {
        readonly kind: 'update-user';
        readonly password?: HiddenText;
        readonly userType?: 'Super' | 'Normal';
        readonly isEnabled?: boolean;
      }
    | { readonly kind: 'delete-user' }
    | { readonly kind: 'put-rule'; /** As the key in `rules`. */ readonly resource: string; readonly rule: RuleShape }
    | { readonly kind: 'delete-rule'; readonly resource: string }
    | { readonly kind: 'put-account'; readonly secretKey: HiddenText; readonly account: Omit<AccountShape, 'secretKey'> }
    | { readonly kind: 'delete-account' }
  );

/** Returns one line that says what an action does; secrets are hidden. */
export function describeAction(action: SyncAction): string {
  const { kind, name, broker } = action;
  const where = broker === undefined ? 'on all brokers' : `on ${broker}`;
  const what = detailsOf(action);
  return `${kind.replace('-', ' ')} '${name}' ${where}${what === '' ? '' : `: ${what}`}`;
}

function detailsOf(action: SyncAction): string {
  switch (action.kind) {
    case 'create-topic':
      return listed({ ...action.settings });
    case 'update-topic':
    case 'create-group':
    case 'update-group':
      return listed({ ...action.change });
    case 'create-user':
      return `type ${action.userType}`;
    case 'update-user':
      return listed({ password: action.password, type: action.userType, isEnabled: action.isEnabled });
    case 'put-rule': {
      const { decision, actions, sourceIps } = action.rule;
      const from = sourceIps.length === 0 ? '' : ` from ${sourceIps.join(', ')}`;
      return `${action.resource} ${decision} ${actions.join(', ')}${from}`;
    }
    case 'delete-rule':
      return action.resource;
    case 'put-account':
      return listed({ ...action.account });
    case 'delete-topic':
    case 'delete-group':
    case 'delete-user':
    case 'delete-account':
      return '';
  }
}

function listed(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value)}`)
    .join(', ');
}
