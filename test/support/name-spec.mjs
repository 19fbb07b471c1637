import { relative } from 'node:path';
import { expect } from '@jest/globals';
import { root } from '../../scripts/setup.mjs';

// Processes that a spec starts tell by it whose they are.
process.env.SLUICE_SPEC_FILE = relative(root, expect.getState().testPath ?? '');
