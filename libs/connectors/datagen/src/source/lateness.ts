/** How many records are late, and by how much on average. */
export interface LateSettings {
  readonly share: number;
  readonly meanMs: number;
}

/** Late records are later than this many times their mean delay once in two billion times. */
const MAX_DELAY_IN_MEANS = 20;

/** Decides by how much the time of a record is behind; 0 for most. */
export function delayOf({ share, meanMs }: LateSettings, chance: () => number): number {
  if (chance() >= share) return 0;
  return Math.ceil(meanMs * Math.min(MAX_DELAY_IN_MEANS, -Math.log(1 - chance())));
}
