import { type ArgumentMetadata, type PipeTransform, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Checks a body against its DTO and names every wrong field. @throws ConnectError with code `CONNECT_REQUEST_INVALID` */
export function requestBodyPipe(fields: readonly string[]): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    exceptionFactory: (errors: readonly ValidationError[]) => invalidRequest(errors.flatMap((error) => messagesOf(error, fields))),
  });
}

export function invalidRequest(problems: readonly string[]): ConnectError {
  return new ConnectError(
    ConnectErrorCode.requestInvalid,
    `The request is invalid and contains the following ${problems.length} error(s):\n${problems.join('\n')}`,
  );
}

function messagesOf(error: ValidationError, fields: readonly string[]): readonly string[] {
  return Object.entries(error.constraints ?? {}).map(([constraint, message]) => {
    if (constraint === 'whitelistValidation') {
      return `${JSON.stringify(error.property)} is not a known field, allowed are ${fields.join(', ')}`;
    }
    return constraint === 'isObject' ? `The body must be an object with the fields ${fields.join(', ')}` : message;
  });
}

/** Far above what any request needs and far below what exhausts the stack of recursive code. */
const MAX_DEPTH = 32;

/** Lets a parsed JSON body through unless it is nested too deeply. @throws ConnectError with code `CONNECT_REQUEST_INVALID` */
export class ShallowBodyPipe implements PipeTransform<unknown, unknown> {
  transform(body: unknown): unknown {
    let level: readonly unknown[] = [body];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_DEPTH) {
        throw new ConnectError(
          ConnectErrorCode.requestInvalid,
          `The request body is nested more than ${MAX_DEPTH} levels deep, which is more than any request needs.`,
        );
      }
      level = level.flatMap((value) => (typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : []));
    }
    return body;
  }
}

/** Reads `true` or `false` in any case from the query; `absent` is the value of a parameter that was not given. */
export class BooleanQueryPipe implements PipeTransform<unknown, boolean> {
  constructor(private readonly absent: boolean) {}

  transform(value: unknown, metadata: ArgumentMetadata): boolean {
    if (value === undefined) return this.absent;
    if (typeof value === 'string' && /^true$/i.test(value)) return true;
    if (typeof value === 'string' && /^false$/i.test(value)) return false;
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `Query parameter ${metadata.data ?? ''} is ${JSON.stringify(value)}, allowed are true and false`,
    );
  }
}
