import { type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

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
