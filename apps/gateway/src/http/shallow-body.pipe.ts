import { type PipeTransform } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Far above what any request needs and far below what exhausts the stack of recursive code. */
const maxDepth = 32;

/** Lets a parsed JSON body through unless it is nested too deeply. @throws ConnectError with code `CONNECT_REQUEST_INVALID` */
export class ShallowBodyPipe implements PipeTransform<unknown, unknown> {
  transform(body: unknown): unknown {
    let level: readonly unknown[] = [body];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > maxDepth) {
        throw new ConnectError(
          ConnectErrorCode.requestInvalid,
          `The request body is nested more than ${maxDepth} levels deep, which is more than any request needs.`,
        );
      }
      level = level.flatMap((value) =>
        typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
      );
    }
    return body;
  }
}
