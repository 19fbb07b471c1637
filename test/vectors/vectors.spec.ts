import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CONVERTER_PLUGINS } from '@sluice/converters';
import { PREDICATE_PLUGINS, TRANSFORM_PLUGINS } from '@sluice/transforms';
import { CHAINS, differenceOf, type Vector } from './ask.js';
import type { Notation, NotationObject, RecordNotation } from './notation.js';
import { EXEMPT, WANTED_DIFFERENCES } from './differences.js';

const FOLDER = new URL('data/', import.meta.url);
const PLUGINS = [...TRANSFORM_PLUGINS, ...PREDICATE_PLUGINS, ...CONVERTER_PLUGINS];
const KNOWN = new Set([CHAINS, ...PLUGINS.flatMap(({ name, aliases }) => [name, ...aliases])]);

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'));
const vectors = new Map(files.map((name) => [name, readVectors(name)]));
const all = [...vectors.values()].flat();

describe('the vectors of Kafka Connect', () => {
  it.each(files)('%s: ours answers the same', (name) => {
    const failures: string[] = [];
    for (const vector of vectors.get(name) ?? []) {
      const wanted = WANTED_DIFFERENCES.find(({ ids }) => ids.test(vector.id));
      const difference = differenceOf(vector);
      if (wanted === undefined && difference !== undefined) failures.push(`${vector.id}: ${difference}`);
      if (wanted !== undefined && difference === undefined) failures.push(`${vector.id} differs no more, although: ${wanted.why}`);
    }
    expect(failures).toEqual([]);
  });

  it.each<[string, (record: string) => string]>([
    ['bigints in the place of whole numbers without a schema', (record) => record.replaceAll('{"int64":', '{"bigInteger":')],
    ['fields that a struct leaves out in the place of nulls', withoutNullFields],
  ])('are the same for %s', (_, changed) => {
    const failures = all.flatMap((vector) => {
      const record = JSON.stringify(vector.record);
      if (vector.record === undefined || changed(record) === record || isListed(vector) || keepsNulls(vector)) return [];
      const difference = differenceOf({ ...vector, record: JSON.parse(changed(record)) as RecordNotation });
      return difference === undefined ? [] : [`${vector.id}: ${difference}`];
    });
    expect(failures).toEqual([]);
  });

  it('have JSON that ours reads as the value that Kafka Connect wrote', () => {
    // What was null comes back as the default, and bytes without a schema as the text that JSON has for them.
    const written = all.filter(
      ({ id, config, expect }) =>
        /^JsonConverter\/write\/(?!null|defaults|classes\/bytes)/.test(id) && config['schemas.enable'] === undefined && expect.bytes,
    );
    const failures = written.flatMap(({ schema = null, value = null, expect, ...vector }) => {
      const difference = differenceOf({ ...vector, bytes: expect.bytes ?? null, expect: { schema, value } });
      return difference === undefined ? [] : [`${vector.id}: ${difference}`];
    });
    expect(written.length).toBeGreaterThan(30);
    expect(failures).toEqual([]);
  });

  it('are many, and each has an id of its own', () => {
    expect(all.length).toBeGreaterThan(3000);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('are meant by every wanted difference', () => {
    expect(WANTED_DIFFERENCES.filter(({ ids }) => !all.some(({ id }) => ids.test(id)))).toEqual([]);
  });

  it('cover every plugin', () => {
    const asked = new Set(all.map((vector) => vector.class));
    const without = PLUGINS.filter((plugin) => ![plugin.name, ...plugin.aliases].some((name) => asked.has(name))).map(({ name }) => name);
    expect(without.filter((name) => !EXEMPT.some(({ names }) => names.test(name)))).toEqual([]);
  });

  it('leave out only plugins that there are and that nothing asks', () => {
    const asked = new Set(all.map((vector) => vector.class));
    const isAsked = (plugin: (typeof PLUGINS)[number]): boolean => [plugin.name, ...plugin.aliases].some((name) => asked.has(name));
    const stale = EXEMPT.filter(({ names }) => {
      const meant = PLUGINS.filter(({ name }) => names.test(name));
      return meant.length === 0 || meant.some(isAsked);
    });
    expect(stale).toEqual([]);
  });

  it('are of classes that ours has', () => {
    expect([...new Set(all.map((vector) => vector.class))].filter((name) => !KNOWN.has(name))).toEqual([]);
  });
});

/** Where a null is not the default, it means another thing than a field that is left out. */
function keepsNulls({ config }: Vector): boolean {
  return config['replace.null.with.default'] === 'false';
}

function withoutNullFields(record: string): string {
  return JSON.stringify(JSON.parse(record), function (this: NotationObject, name: string, value: Notation) {
    if (name !== 'struct' || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value ?? {}).filter(([, item]) => item !== null));
  });
}

function isListed({ id }: Vector): boolean {
  return WANTED_DIFFERENCES.some(({ ids }) => ids.test(id));
}

function readVectors(name: string): readonly Vector[] {
  const lines = readFileSync(new URL(name, FOLDER), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Vector);
}
