import { describe, expect, it } from '@jest/globals';
import { readSettings } from '@sluice/node';
import { settingChecks } from './runner-service.js';

const read = (text: string): (() => unknown) => {
  return () => readSettings({ environment: {}, file: 'connect.conf', readText: () => text, checks: settingChecks });
};

describe('the settings of a runner', () => {
  it('name a converter that there is not, its place, and those that there are', () => {
    const allowed = 'Available converters are: StringConverter, ByteArrayConverter, JsonConverter';
    expect(read('keyConverter=Nope\nvalueConverter=StringConverter')).toThrow(
      `connect.conf:1: Invalid value Nope for configuration keyConverter: ${allowed}`,
    );
    expect(read('valueConverter=None')).toThrow(`connect.conf:1: Invalid value None for configuration valueConverter: ${allowed}`);
  });

  it('are refused by name where they set no number of threads, or too little memory for one', () => {
    expect(read('task.threads=0')).toThrow('connect.conf:1: Invalid value 0 for configuration task.threads: Value must be at least 1');
    expect(read('task.threads=many')).toThrow('connect.conf:1: Invalid value many for configuration task.threads');
    expect(read('task.thread.memory.mb=1')).toThrow(
      'connect.conf:1: Invalid value 1 for configuration task.thread.memory.mb: Value must be at least 32',
    );
  });
});
