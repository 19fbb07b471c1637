import { describe, expect, it } from '@jest/globals';
import { fromPosition, toPosition } from './position.js';

describe('the position of a file', () => {
  it.each([0, 1, 35, 36, 36 ** 3 - 1, 36 ** 3, 36 ** 3 + 1, 2 ** 31 - 1, 2 ** 31, 36 ** 6, 2 ** 32 - 1])(
    'has the print %i in base 36',
    (print) => {
      const position = toPosition(7, 'k3', print);
      expect(position).toEqual({ position: 7, file: `k3-${print.toString(36)}` });
      expect(fromPosition('f', position)).toEqual({ position: 7, inode: Number.parseInt('k3', 36), print });
    },
  );
});
