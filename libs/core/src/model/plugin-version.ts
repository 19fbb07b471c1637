/** A semantic version, taken apart. */
interface Version {
  /** Major, minor, patch. */
  readonly numbers: readonly [number, number, number];
  /** Empty for a release. */
  readonly preRelease: readonly string[];
}

interface Interval {
  readonly low: Version | undefined;
  readonly includesLow: boolean;
  readonly high: Version | undefined;
  readonly includesHigh: boolean;
}

/** Versions that a setting or a package allows; an empty list allows all. */
export type VersionRange = readonly Interval[];

const VERSION =
  /^(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(0|[1-9]\d{0,8}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;
const INTERVAL = /([[(])([^[\](),]*)(?:(,)([^[\](),]*))?([\])])/g;
const MAX_RANGE_LENGTH = 200;

/** What a range may look like, for errors. */
export const ALLOWED_RANGES =
  'Allowed are a version such as 1.2.0, a range such as [1.2,2.0), several ranges separated by commas, and latest';

/** Returns whether a text is a semantic version with its three numbers. */
export function isVersion(text: string): boolean {
  return parseVersion(text) !== undefined && /^\d+\.\d+\.\d+/.test(text);
}

/**
 * Reads Kafka Connect's notation: an exact version, ranges of Maven such as `[1.0,2.0)`, or `latest`. Numbers that are left out are 0.
 *
 * @returns undefined for a text that is none of these
 */
export function parseVersionRange(text: string): VersionRange | undefined {
  const trimmed = text.trim();
  if (trimmed === 'latest') return [];
  if (trimmed.length > MAX_RANGE_LENGTH) return undefined;
  if (!/^[[(]/.test(trimmed)) {
    const exact = parseVersion(trimmed);
    return exact && [{ low: exact, includesLow: true, high: exact, includesHigh: true }];
  }
  const found = [...trimmed.replaceAll(' ', '').matchAll(INTERVAL)];
  if (found.map(([interval]) => interval).join() !== trimmed.replaceAll(' ', '')) return undefined;
  const intervals = found.map(intervalOf);
  return intervals.every((interval) => interval !== undefined) ? intervals : undefined;
}

/**
 * Reads the versions of an interface that something was built for: a range, or the oldest version that it needs. Newer ones fit up to the next
 * incompatible one, which is the next major, and before 1.0 the next minor.
 *
 * @returns undefined for a text that is neither
 */
export function parseCompatibleRange(text: string): VersionRange | undefined {
  if (/^\s*[[(]/.test(text)) return parseVersionRange(text);
  const bare = text.trim().replace(/^\^/, '');
  const low = parseVersion(bare);
  if (low === undefined) return undefined;
  const [major, minor] = low.numbers;
  const isBeforeFirst = major === 0 && bare.includes('.');
  const high: Version = { numbers: isBeforeFirst ? [0, minor + 1, 0] : [major + 1, 0, 0], preRelease: [] };
  return [{ low, includesLow: true, high, includesHigh: false }];
}

/** Returns whether a range allows a version. */
export function allowsVersion(range: VersionRange, text: string): boolean {
  const version = parseVersion(text);
  if (version === undefined) return false;
  return range.length === 0 || range.some((interval) => includes(interval, version));
}

/** Orders the preferred version first: releases before versions that only precede one, newer ones before older ones. A text that is no version is last. */
export function preferVersion(left: string, right: string): number {
  const [one, other] = [parseVersion(left), parseVersion(right)];
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  return Number(one.preRelease.length > 0) - Number(other.preRelease.length > 0) || compare(other, one);
}

function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, preRelease] = VERSION.exec(text) ?? [];
  if (major === undefined) return undefined;
  return { numbers: [Number(major), Number(minor ?? 0), Number(patch ?? 0)], preRelease: preRelease?.split('.') ?? [] };
}

function intervalOf([, opening, first = '', comma, second = '', closing]: RegExpMatchArray): Interval | undefined {
  const low = parseVersion(first);
  const high = comma === undefined ? low : parseVersion(second);
  const isWrong = (low === undefined && first !== '') || (high === undefined && second !== '');
  const [includesLow, includesHigh] = [opening === '[', closing === ']'];
  if (isWrong || (comma === undefined && !(low !== undefined && includesLow && includesHigh))) return undefined;
  if (low !== undefined && high !== undefined && compare(low, high) > 0) return undefined;
  return { low, includesLow, high, includesHigh };
}

function includes({ low, includesLow, high, includesHigh }: Interval, version: Version): boolean {
  const overLow = low === undefined ? 1 : compare(version, low);
  const underHigh = high === undefined ? 1 : compare(high, version);
  return (overLow > 0 || (includesLow && overLow === 0)) && (underHigh > 0 || (includesHigh && underHigh === 0));
}

function compare(left: Version, right: Version): number {
  for (const [at, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePreReleases(left.preRelease, right.preRelease);
}

/** As semantic versioning orders them: a release is newer than what precedes it; numbers are older than words. */
function comparePreReleases(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return Number(left.length === 0) - Number(right.length === 0);
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    if (isNumber) return Number(part) - Number(other);
    return part < other ? -1 : 1;
  }
  return left.length - right.length;
}
