import { describe, expect, it } from '@jest/globals';
import { datePatternErrors, JavaDateFormat } from './java-date-format.js';

const MOMENT = 1_731_508_712_229;

describe("a pattern of Java's SimpleDateFormat", () => {
  // Each text is what Java 17 writes in UTC with English names.
  it.each([
    ['yyyyMMdd', MOMENT, '20241113'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", MOMENT, '2024-11-13T14:38:32.229Z'],
    ['EEE, dd MMM yyyy hh:mm:ss a z', MOMENT, 'Wed, 13 Nov 2024 02:38:32 PM UTC'],
    ['EEEE d MMMM yy k K h Z', MOMENT, 'Wednesday 13 November 24 14 2 2 +0000'],
    ["yyyy 'o''clock' ''HH", MOMENT, "2024 o'clock '14"],
    ['u w W F D Y', MOMENT, '3 46 3 2 318 2024'],
    ['S SSSSS yyyyy X XX zzzz', MOMENT, '229 00229 02024 Z Z Coordinated Universal Time'],
    ['kk hh KK', 0, '24 12 00'],
    ['yyyy-MM-dd HH:mm:ss.SSS', -1, '1969-12-31 23:59:59.999'],
    ['yyyy-MM-dd G', -62_135_596_800_000, '0001-01-03 AD'],
    ['yyyy-MM-dd', -12_219_292_800_001, '1582-10-04'],
    ['yyyy-MM-dd', -12_219_292_800_000, '1582-10-15'],
    ['YYYY-ww', 1_735_603_200_000, '2025-01'],
  ])('%s writes %p as %s', (pattern, ms, text) => {
    expect(new JavaDateFormat(pattern).format(ms)).toBe(text);
  });

  // What Java 17 reads, lenient as it is.
  it.each([
    ['yyyy-MM-dd', '2024-01-02', '2024-01-02T00:00:00.000Z'],
    ['yyyy-MM-dd', '2024-13-45 and more', '2025-02-14T00:00:00.000Z'],
    ['yyyy-MM-dd', '24-1-2', '0023-12-31T00:00:00.000Z'],
    ['yyyyMMddHHmmssSSS', '20240102030405678', '2024-01-02T03:04:05.678Z'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '2024-01-02T03:04:05.6+01:30', '2024-01-02T01:34:05.006Z'],
    ['EEE, dd MMM yyyy hh:mm:ss a z', 'tue, 02 january 2024 12:04:05 pm PST', '2024-01-02T20:04:05.000Z'],
    ['yyyy-MM-dd Z', '2024-01-02 +0100', '2024-01-01T23:00:00.000Z'],
    ['yyyy-MM-dd z', '2024-01-02 GMT+1:00', '2024-01-01T23:00:00.000Z'],
    ['yyyyMMdd', '2024010', '2023-12-31T00:00:00.000Z'],
    ['D yyyy', '60 2024', '2024-02-29T00:00:00.000Z'],
    ['kk:mm', '24:00', '1970-01-01T00:00:00.000Z'],
    ['KK:mm a', '0:00 PM', '1970-01-01T12:00:00.000Z'],
    ['y G', '5 BC', '-000005-12-30T00:00:00.000Z'],
  ])('%s reads %s', (pattern, text, expected) => {
    const ms = new JavaDateFormat(pattern).parse(text);
    expect(ms === undefined ? undefined : new Date(ms).toISOString()).toBe(expected);
  });

  it('takes a year of two digits within the last 80 years and the next 20', () => {
    const thisYear = new Date().getUTCFullYear();
    const short = (year: number): string => String(year % 100).padStart(2, '0');
    const yearOf = (text: string): number => new Date(new JavaDateFormat('yy-MM-dd').parse(text) ?? NaN).getUTCFullYear();
    expect([thisYear, thisYear - 79, thisYear + 19].map((year) => yearOf(`${short(year)}-06-01`))).toEqual([
      thisYear,
      thisYear - 79,
      thisYear + 19,
    ]);
    expect(yearOf(`${short(thisYear - 80)}-01-01`)).toBe(thisYear + 20);
  });

  it.each([
    ['yyyy-MM-dd', '2024/01/02'],
    ['yyyy-MM-dd', '2024-01'],
    ['yyyyMMdd', '2024'],
    ['HH:mm', 'aa'],
    ['XXX', '+0130'],
    ['EEE', 'Xyz'],
    ['w yyyy', '1 2024'],
  ])('%s does not read %s', (pattern, text) => {
    expect(new JavaDateFormat(pattern).parse(text)).toBeUndefined();
  });

  it.each([
    ['yyyy-MM-ddTHH', "Illegal pattern character 'T'; allowed are G, y, Y, M, L, w,"],
    ["yyyy 'a", 'Unterminated quote'],
    ['XXXX', 'invalid ISO 8601 format: X is given 4 times; allowed are 1 to 3'],
  ])('%s is refused', (pattern, reason) => {
    expect(datePatternErrors('format', pattern)[0]?.message).toContain(reason);
  });
});
