import { ValidationPipe } from '@nestjs/common';
import { type ValidationError } from 'class-validator';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Checks a body against its DTO and names every wrong field. @throws ConnectError with code `CONNECT_REQUEST_INVALID` */
export function requestBodyPipe(fields: readonly string[]): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    exceptionFactory: (errors: readonly ValidationError[]) =>
      invalidRequest(errors.flatMap((error) => messagesOf(error, fields))),
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
