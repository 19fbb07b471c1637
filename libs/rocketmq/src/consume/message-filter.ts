import { BrokerResponseError, InvalidArgumentError, UnsupportedByBrokerError, type RocketMqError } from '../errors.js';
import { MESSAGE_PROPERTY } from '../wire/message-property.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/**
 * Which messages a consumer gets. `tags`: `a || b`, or `*` for all. `sql92`: a condition on properties such as
 * `a > 3 AND b IS NOT NULL`; brokers evaluate it where `enablePropertyFilter` is on.
 */
export type MessageFilter = { readonly tags: string; readonly sql92?: undefined } | { readonly sql92: string; readonly tags?: undefined };

interface Tagged {
  property(name: string): string | undefined;
}

/** A filter as requests carry it, and the part of it that is left to the client. */
export interface CompiledFilter {
  readonly expressionType: 'TAG' | 'SQL92';
  readonly expression: string;
  /** Whether the broker gives all messages. */
  readonly isAll: boolean;
  /** Brokers compare tags by their hash codes only; the client compares the tags. True where the broker has the last word. */
  matches(message: Tagged): boolean;
}

const ALL = '*';
const SEPARATOR = '||';

const NO_FILTER: CompiledFilter = { expressionType: 'TAG', expression: ALL, isAll: true, matches: () => true };

/** @throws InvalidArgumentError for an expression without a tag or a condition */
export function compileFilter(filter: MessageFilter | undefined): CompiledFilter {
  if (filter === undefined) return NO_FILTER;
  if (filter.sql92 !== undefined) return compileSql92(filter.sql92);
  const expression = filter.tags.trim();
  if (expression === ALL) return NO_FILTER;
  const tags = expression.split(SEPARATOR).map((tag) => tag.trim());
  if (tags.some((tag) => tag === '')) {
    throw new InvalidArgumentError(`filter.tags '${filter.tags}': expected tags separated by ${SEPARATOR}, or ${ALL}`);
  }
  const wanted = new Set(tags);
  return {
    expressionType: 'TAG',
    expression: tags.join(` ${SEPARATOR} `),
    isAll: false,
    matches: (message) => {
      const tag = message.property(MESSAGE_PROPERTY.tag);
      return tag !== undefined && wanted.has(tag);
    },
  };
}

function compileSql92(condition: string): CompiledFilter {
  const expression = condition.trim();
  if (expression === '') throw new InvalidArgumentError(`filter.sql92 '${condition}': expected a condition`);
  return { expressionType: 'SQL92', expression, isAll: false, matches: () => true };
}

/** A broker whose `enablePropertyFilter` is off says so with SYSTEM_ERROR, as for anything that goes wrong in it. */
const NO_SQL92_REMARK = /does not support consumer to filter message by SQL92/;

/** Returns the error for a refusal that is the filter's; undefined for any other. */
export function filterRefusal(filter: CompiledFilter, refusal: RocketMqError): RocketMqError | undefined {
  if (filter.isAll || !(refusal instanceof BrokerResponseError)) return undefined;
  if (NO_SQL92_REMARK.test(refusal.remark)) return new UnsupportedByBrokerError(refusal, 'it needs enablePropertyFilter=true');
  if (refusal.responseCode !== RESPONSE_CODE.SUBSCRIPTION_PARSE_FAILED) return undefined;
  const field = filter.expressionType === 'TAG' ? 'tags' : 'sql92';
  return new InvalidArgumentError(`filter.${field} '${filter.expression}': ${refusal.address} cannot read it: ${refusal.remark}`);
}
