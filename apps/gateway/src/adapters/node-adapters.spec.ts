import { describe, expect, it } from '@jest/globals';
import { ProcessLogger } from '@sluice/node';
import { ProcessNodeLogger } from './node-adapters.js';
import { LOG_LEVELS } from '../ports/gateway-ports.js';

describe('the level of a node’s log', () => {
  it.each(LOG_LEVELS)('%s holds for everything that the node logs', (level) => {
    const processLogger = new ProcessLogger('info');
    const logger = new ProcessNodeLogger(processLogger);
    expect(logger.level()).toBe('INFO');
    logger.setLevel(level);
    expect(logger.level()).toBe(level);
    const enabled = (['error', 'warn', 'log', 'debug'] as const).filter((each) => processLogger.isLevelEnabled(each));
    expect(enabled).toHaveLength(LOG_LEVELS.indexOf(level) + 1);
  });
});
