import { encodePosition, type PositionWrite } from './position.codec.js';
import { bigintAsObject } from './position-value.js';

/**
 * Encodes a change as one message, or as several when it would be larger than `maxBytes`. Partitions come first, then scans, and what is
 * settled in the last.
 */
export function splitWrite(
  { connector, index, generation }: Pick<PositionWrite, 'connector' | 'index' | 'generation'>,
  { partitions, scans, settled }: Pick<PositionWrite, 'partitions' | 'scans' | 'settled'>,
  maxBytes: number,
): readonly PositionWrite[] {
  const empty = { kind: 'write', connector, index, generation, partitions: [], scans: [], settled: [] } as const;
  const whole: PositionWrite = { ...empty, partitions, scans, settled };
  if (encodePosition(whole).length <= maxBytes) return [whole];
  // What stands around the items is small: a part of half the size fits in any case, unless one item alone is larger.
  const partBytes = maxBytes / 2;
  return [
    ...partsBySize(partitions, partBytes).map((part): PositionWrite => ({ ...empty, partitions: part })),
    ...partsBySize(scans, partBytes).map((part): PositionWrite => ({ ...empty, scans: part })),
    ...partsBySize(settled, partBytes).map((part): PositionWrite => ({ ...empty, settled: part })),
  ];
}

function partsBySize<T>(items: readonly T[], maxBytes: number): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item, bigintAsObject)) + 1;
    const last = parts.at(-1);
    if (last === undefined || bytes + size > maxBytes) {
      parts.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return parts;
}
