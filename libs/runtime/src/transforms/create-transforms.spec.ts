import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, isConfigError, type RawConfig } from '@sluice/sdk';
import { createTransforms } from './create-transforms.js';

const record = (topic: string, value: string | null, ...headers: readonly string[]): ConnectRecord => ({
  topic,
  value,
  headers: headers.map((key) => ({ key, value: 'x' })),
});

/** The records that a configuration leaves, as `topic value`. */
function left(config: RawConfig, ...records: readonly ConnectRecord[]): string[] {
  const chain = createTransforms(config);
  return records.flatMap((each) => {
    const outcome = chain.apply(each);
    if (outcome instanceof Error) throw outcome;
    return outcome === undefined ? [] : [`${outcome.topic} ${outcome.value as string}`];
  });
}

function errorsOf(config: RawConfig): (readonly [string, string])[] {
  try {
    createTransforms(config);
  } catch (error) {
    if (isConfigError(error)) return error.errors.map(({ field, message }) => [field, message]);
    throw error;
  }
  return [];
}

const filter = { transforms: 'f', 'transforms.f.type': 'Filter', 'transforms.f.predicate': 'p', predicates: 'p' };

describe('transforms of a configuration', () => {
  it('are none by default', () => {
    expect(createTransforms({}).isEmpty).toBe(true);
    expect(createTransforms({ transforms: ' , ', predicates: '' }).isEmpty).toBe(true);
  });

  it('drop what a predicate is true for, under the names of Kafka Connect', () => {
    const config = {
      ...filter,
      'transforms.f.type': 'org.apache.kafka.connect.transforms.Filter',
      'predicates.p.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
    };
    expect(left(config, record('t', 'a'), record('t', null), record('t', ''))).toEqual(['t a', 't ']);
    expect(left({ ...config, 'transforms.f.negate': 'true' }, record('t', 'a'), record('t', null))).toEqual(['t null']);
  });

  it('match whole names of topics', () => {
    const config = { ...filter, 'predicates.p.type': 'TopicNameMatches', 'predicates.p.pattern': 'ab|a' };
    expect(left(config, record('ab', '1'), record('a', '2'), record('abc', '3'), record('xa', '4'))).toEqual(['abc 3', 'xa 4']);
  });

  it('find a header by its key', () => {
    const config = { ...filter, 'predicates.p.type': 'HasHeaderKey', 'predicates.p.name': 'k' };
    expect(left(config, record('t', 'a', 'K', 'k'), record('t', 'b', 'K'))).toEqual(['t b']);
  });

  it('name the class of a transform that fails, and of a predicate', () => {
    const cast = { transforms: 'c', 'transforms.c.type': 'Cast$Value', 'transforms.c.spec': 'int8' };
    expect(createTransforms(cast).apply(record('t', 'no number'))).toMatchObject({ alias: 'c', className: 'Cast$Value' });
    const chain = createTransforms({ ...filter, 'predicates.p.type': 'HasHeaderKey', 'predicates.p.name': 'k' });
    const broken = { topic: 't', value: 'a', headers: [null] } as unknown as ConnectRecord;
    expect(chain.apply(broken)).toMatchObject({ alias: 'f', className: 'HasHeaderKey' });
  });

  it('drop every record without a predicate', () => {
    expect(left({ transforms: 'f', 'transforms.f.type': 'Filter' }, record('t', 'a'))).toEqual([]);
  });

  it('are in the order of their aliases, which may have spaces around them, and take the word class for type', () => {
    const config = {
      transforms: ' a , b ',
      'transforms.a.class': 'Filter',
      'transforms.a.predicate': 'p',
      'transforms.b.type': 'Filter',
      'transforms.b.predicate': 'p',
      predicates: 'p',
      'predicates.p.type': 'RecordIsTombstone',
    };
    expect(left(config, record('t', 'a'), record('t', null))).toEqual(['t a']);
  });

  it.each<[string, RawConfig, readonly (readonly [string, string])[]]>([
    ['no type', { transforms: 'f' }, [['transforms.f.type', 'Missing required configuration "transforms.f.type"']]],
    [
      'an unknown class',
      { transforms: 'f', 'transforms.f.type': 'MaskAll' },
      [['transforms.f.type', 'Class MaskAll could not be found. Available transforms are: Cast$Key, Cast$Value, DropHeaders,']],
    ],
    ['the same alias twice', { transforms: 'f,f', 'transforms.f.type': 'Filter' }, [['transforms', 'Duplicate alias provided: f']]],
    [
      'a predicate that is not defined',
      { ...filter, predicates: '', 'predicates.p.type': 'RecordIsTombstone' },
      [
        ['transforms.f.predicate', 'The predicate is not defined. Those in predicates are: none.'],
        ['predicates.p.type', 'belongs to no alias in predicates; the aliases there are: none.'],
      ],
    ],
    [
      'negate without a predicate',
      { transforms: 'f', 'transforms.f.type': 'Filter', 'transforms.f.negate': 'true' },
      [['transforms.f.negate', 'is given without transforms.f.predicate']],
    ],
    [
      'negate that is no boolean',
      { ...filter, 'predicates.p.type': 'RecordIsTombstone', 'transforms.f.negate': 'yes' },
      [['transforms.f.negate', 'Expected value to be either true or false']],
    ],
    [
      'settings that nothing reads',
      { transforms: 'f', 'transforms.f.type': 'Filter', 'transforms.f.predicat': 'p', 'transforms.g.type': 'Filter' },
      [
        ['transforms.f.predicat', 'is not a setting of Filter. Did you mean transforms.f.predicate? It has no settings.'],
        ['transforms.g.type', 'belongs to no alias in transforms; the aliases there are: f.'],
      ],
    ],
    [
      'a pattern that cannot be read',
      { ...filter, 'predicates.p.type': 'TopicNameMatches', 'predicates.p.pattern': '(a' },
      [['predicates.p.pattern', 'Must be a valid regular expression']],
    ],
    [
      'a missing setting of a predicate',
      { ...filter, 'predicates.p.type': 'HasHeaderKey' },
      [['predicates.p.name', 'Missing required configuration "predicates.p.name"']],
    ],
  ])('are refused with %s', (_what, config, expected) => {
    expect(errorsOf(config)).toEqual(expected.map(([field, message]) => [field, expect.stringContaining(message)]));
  });
});
