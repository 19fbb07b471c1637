import { type AssignmentChange, ASSIGNMENT_STRATEGY_NAMES, type AssignmentStrategyName } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

const CHANGES = ['remove', 'drain', 'strategy'] as const;
const DEFAULT_LIMIT = 1000;
const HIGHEST_LIMIT = 100_000;

export interface PlanQuestion {
  /** Absent: what is under way already. */
  readonly change?: Exclude<AssignmentChange, { readonly add: unknown }>;
  /** How many moves, and how many unassigned tasks, are listed at most. */
  readonly limit: number;
}

/** Reads the query of a plan: at most one of `remove`, `drain`, `strategy`; and `limit`. @throws ConnectError with code `CONNECT_REQUEST_INVALID` */
export function readPlanQuestion(query: Readonly<Record<string, unknown>>): PlanQuestion {
  const known: readonly string[] = [...CHANGES, 'limit'];
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name)) throw invalid(name, value, `the parameters are ${known.join(', ')}`);
    if (typeof value !== 'string' || value === '') throw invalid(name, value, 'one value is allowed');
  }
  const given = CHANGES.filter((name) => query[name] !== undefined);
  if (given.length > 1) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `Query parameters ${given.join(' and ')} are given, allowed is one change at a time`,
    );
  }
  const limit = readLimit(query['limit'] as string | undefined);
  const [name] = given;
  if (name === undefined) return { limit };
  const value = query[name] as string;
  switch (name) {
    case 'remove':
      return { change: { remove: value }, limit };
    case 'drain':
      return { change: { drain: value }, limit };
    case 'strategy':
      return { change: { strategy: readStrategy(value) }, limit };
  }
}

function readStrategy(value: string): AssignmentStrategyName {
  const strategy = ASSIGNMENT_STRATEGY_NAMES.find((each) => each === value);
  if (strategy === undefined) throw invalid('strategy', value, `allowed are ${ASSIGNMENT_STRATEGY_NAMES.join(', ')}`);
  return strategy;
}

function readLimit(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,6}$/.test(value) ? Number(value) : NaN;
  if (limit >= 0 && limit <= HIGHEST_LIMIT) return limit;
  throw invalid('limit', value, `allowed are 0 to ${HIGHEST_LIMIT}`);
}

function invalid(name: string, value: unknown, allowed: string): ConnectError {
  return new ConnectError(ConnectErrorCode.requestInvalid, `Query parameter ${name} is ${JSON.stringify(value)}, ${allowed}`);
}
