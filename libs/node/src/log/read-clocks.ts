import type { ClockReading } from '@sluice/core';

/** Reads the monotonic and the wall clock of this process, in milliseconds. */
export function readClocks(): ClockReading {
  return { now: performance.now(), wall: Date.now() };
}
