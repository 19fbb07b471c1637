export const LONG_MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** From Sunday. */
export const LONG_WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** Short names are the first characters of the long ones. */
export const SHORT_LENGTH = 3;

/** The offsets of zones, in minutes, whose English names Java reads. */
export const ZONE_MINUTES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  'Coordinated Universal Time': 0,
  'Greenwich Mean Time': 0,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
};
