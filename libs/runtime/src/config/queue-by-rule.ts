import type { FieldError } from '@sluice/sdk';

/** Checks that a header is named where it chooses the queue, and only there. */
export function queueByErrors(by: string, header: string | undefined): readonly FieldError[] {
  if (by === 'header' && header === undefined) {
    const message = 'Missing required configuration queue.by.header: queue.by=header needs the name of a header.';
    return [{ field: 'queue.by.header', message }];
  }
  if (by === 'header' || header === undefined) return [];
  const message = `Invalid value ${header} for configuration queue.by.header: It has no effect with queue.by=${by}. Leave it out, or give queue.by=header.`;
  return [{ field: 'queue.by.header', message }];
}
