import { inspect } from 'node:util';
import { ConnectError, type ConnectErrorCode, isConnectError, isRetriable } from '@sluice/sdk';
import { MAX_CAUSES } from '../task/error-text.js';

/** An error as it passes from one thread to another: a structured copy would lose its class, its code and its mark. */
export type ErrorCopy =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      readonly retriable: boolean;
      /** Set where it is an error of Sluice. */
      readonly code?: ConnectErrorCode;
      readonly cause?: ErrorCopy;
    };

/** Of each text; a status shows less. */
const MAX_CHARACTERS = 65_536;

/** Copies an error with its causes, so far as status, log and the decision about a restart need it. Never throws, whatever was thrown. */
export function copyError(error: unknown): ErrorCopy {
  try {
    return copyOf(error, 0);
  } catch {
    return { kind: 'text', text: 'an error that cannot be shown' };
  }
}

function copyOf(error: unknown, depth: number): ErrorCopy {
  if (!(error instanceof Error)) return { kind: 'text', text: textOf(error) };
  const { stack, cause } = error;
  // Whoever throws may have set any of them to anything.
  const [name, message] = [textOf(error.name), textOf(error.message)];
  return {
    kind: 'error',
    name,
    message,
    stack: shortened(typeof stack === 'string' ? stack : `${name}: ${message}`),
    retriable: isRetriable(error),
    ...(isConnectError(error) ? { code: error.code } : {}),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: copyOf(cause, depth + 1) }),
  };
}

/** Makes an error of a copy: of the same name, text, causes, code and mark. */
export function restoreError(copy: ErrorCopy): unknown {
  if (copy.kind === 'text') return copy.text;
  const { name, message, stack, retriable, code } = copy;
  const cause = copy.cause === undefined ? undefined : restoreError(copy.cause);
  const error =
    code === undefined
      ? Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { retriable })
      : new ConnectError(code, message, { retriable, cause });
  error.name = name;
  error.stack = stack;
  return error;
}

function textOf(value: unknown): string {
  return shortened(typeof value === 'string' ? value : inspect(value));
}

function shortened(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}...` : text;
}
