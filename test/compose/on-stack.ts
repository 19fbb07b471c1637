import type { ComposeStack } from './compose-stack.js';
import { Observer } from './observer.js';

/** Runs work on a stack, prints what its containers logged if that fails, and removes the stack whatever comes. */
export async function onStack<Result>(stack: ComposeStack, signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (!signal.aborted) process.stderr.write(`${await stack.describe().catch(String)}\n`);
    throw error;
  } finally {
    await Observer.remove(stack.project);
    await stack.remove();
  }
}
