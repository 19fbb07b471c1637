import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `node --import <this file> x.ts` runs TypeScript from source, so that a spec can look at a process of its own. */
if (!import.meta.url.includes('?hooks')) register(`${import.meta.url}?hooks`);

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
    return next(`${specifier.slice(0, -3)}.ts`, context);
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { transform } = await import('@swc/core');
  const options = JSON.parse(await readFile(new URL('../../../swcrc.json', import.meta.url), 'utf8'));
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    ...options,
    filename: fileURLToPath(url),
    swcrc: false,
  });
  return { format: 'module', source: code, shortCircuit: true };
}
