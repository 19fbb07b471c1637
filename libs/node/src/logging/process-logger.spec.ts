import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ProcessLogger } from './process-logger.js';

const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
const logged = (): string => write.mock.calls.map(([text]) => String(text)).join('');

afterEach(() => {
  write.mockClear();
});

describe('a line of the log', () => {
  it('shows control characters as text, so no record can write to the terminal', () => {
    new ProcessLogger('info').scoped('task').info('line "a\u0000b\u001b[31mred\u001b[0m\rgone\tx\u007f\u009b1m\u2028end"');
    expect(logged()).toMatch(/INFO {2}\[task\] line "a\\u0000b\\u001b\[31mred\\u001b\[0m\\rgone\\tx\\u007f\\u009b1m\\u2028end"\n$/);
  });

  it('is followed only by indented lines, so no record can forge another one', () => {
    new ProcessLogger('info').scoped('task').info('failed: a\n00:00:00.000 ERROR [task] forged\r\n    at x\n');
    const lines = logged().trimEnd().split('\n');
    expect(lines.slice(1)).toEqual(['  00:00:00.000 ERROR [task] forged', '    at x']);
  });
});
