import { readTextIfPresent } from '@sluice/sdk/files';

/** Reads a JSON file; `undefined` when it does not exist or is not JSON: local copies are only caches of what the topics hold. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
