import { join } from 'node:path';
import { repositoryRoot } from '../support/sluice-cluster.js';
import { docker, runCommand } from './docker.js';

const script = join(repositoryRoot, 'test/compose/engine.sh');
/** Without anything there: packages, three images. */
const START_TIMEOUT_MS = 900_000;

/** A Docker engine that this process may have started. */
export interface Engine {
  /** Stops what was started here, unless containers of others run there by now. */
  stop(): Promise<void>;
}

/**
 * Takes the engine that is there. If there is none, makes one, which only root can.
 *
 * @throws Error saying what to do where there is none and none can be made.
 */
export async function ensureEngine(tell: (line: string) => void, signal: AbortSignal): Promise<Engine> {
  if (await isEngineUp()) return { stop: () => Promise.resolve() };
  if (process.getuid?.() !== 0) throw new Error('no Docker engine answers: start one, or run this as root, which makes one on Debian 12');
  tell('no Docker engine answers: making one');
  const engine = { stop: () => stopUnlessUsed(tell) };
  try {
    tell((await runCommand(script, ['start'], { timeoutMs: START_TIMEOUT_MS, signal })).trim());
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

async function isEngineUp(): Promise<boolean> {
  try {
    await docker(['info']);
    return true;
  } catch {
    return false;
  }
}

async function stopUnlessUsed(tell: (line: string) => void): Promise<void> {
  const running = await docker(['ps', '--quiet']).catch(() => '');
  if (running.trim() !== '') {
    tell('the engine stays up: containers of others run there');
    return;
  }
  await runCommand(script, ['stop']);
}
