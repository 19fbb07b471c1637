import { ValidateBy } from 'class-validator';
import { readConfigMap } from './config-map.js';

/** The property is a flat map of settings; the message names every wrong key. */
export function IsConfigMap(): PropertyDecorator {
  return ValidateBy({
    name: 'isConfigMap',
    validator: {
      validate: (value: unknown) => readConfigMap(value).ok,
      defaultMessage: (given) => {
        const read = readConfigMap(given?.value);
        const property = given?.property ?? 'config';
        return read.ok ? '' : read.problems.map((problem) => `${property}: ${problem}`).join('\n');
      },
    },
  });
}
