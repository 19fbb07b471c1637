import protobuf from 'protobufjs';
import type { RegisteredSchema } from '../registry/schema-registry.js';
import { META_FILE } from './protobuf-names.js';

/** Files that every Protobuf compiler or Confluent's registry has, beside those that the library brings. */
const KNOWN_FILES: Readonly<Record<string, string>> = {
  'google/type/date.proto': 'syntax = "proto3"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }',
  'google/type/timeofday.proto':
    'syntax = "proto3"; package google.type; message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }',
  'confluent/type/decimal.proto':
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
};
/** Files that declare options alone. */
const OPTION_FILES: ReadonlySet<string> = new Set([META_FILE, 'google/protobuf/descriptor.proto']);
const PARSE_OPTIONS: protobuf.IParseOptions = { keepCase: true };

/** The messages of a file, with everything that it imports. */
export class ProtobufFile {
  readonly #root: protobuf.Root;
  /** The full names of the messages at the top, in their order. */
  readonly #names: readonly string[];

  /** @throws TypeError for a text that the library cannot read, and an import that is not there */
  constructor({ schema, references }: Pick<RegisteredSchema, 'schema' | 'references'>) {
    try {
      this.#root = rootOf(schema, new Map(references.map((each) => [each.name, each.schema])));
      this.#root.resolveAll();
      // Alone, the file holds its own messages and none of those that it imports.
      const own = protobuf.parse(schema, new protobuf.Root(), PARSE_OPTIONS);
      const scope = own.package === undefined ? own.root : own.root.lookup(own.package);
      this.#names = messagesOf(scope).map(({ fullName }) => fullName);
    } catch (error) {
      throw new TypeError(`The Protobuf schema is not usable: ${(error as Error).message}`, { cause: error });
    }
    if (this.#names.length === 0) throw new TypeError('The Protobuf schema is not usable: it has no message');
  }

  /** Returns the message at a place: the place at the top, then those inside. @throws TypeError where there is none */
  at(places: readonly number[]): protobuf.Type {
    const [top = 0, ...inner] = places;
    const name = this.#names[top];
    let type = name === undefined ? undefined : this.#root.lookupType(name);
    for (const place of inner) type = type && messagesOf(type)[place];
    if (type === undefined) throw new TypeError(`The schema has no message at ${places.join('.')}`);
    return type;
  }

  /** Returns the place of the message with a full name at the top; of the first one where there is none. */
  placeOf(fullName: string | undefined): readonly number[] {
    return [Math.max(0, this.#names.indexOf(`.${fullName ?? ''}`))];
  }
}

function rootOf(text: string, references: ReadonlyMap<string, string>): protobuf.Root {
  const root = new protobuf.Root();
  const loaded = new Set<string>();
  const load = (source: string): void => {
    const { imports = [], weakImports = [] } = protobuf.parse(source, root, PARSE_OPTIONS);
    for (const name of [...imports, ...weakImports]) {
      if (loaded.has(name)) continue;
      loaded.add(name);
      const found = references.get(name) ?? KNOWN_FILES[name];
      const bundled = protobuf.common.get(name)?.nested;
      if (found !== undefined) load(found);
      else if (bundled !== undefined) root.addJSON(bundled);
      else if (!OPTION_FILES.has(name)) throw new TypeError(`it imports ${name}, which is none of its references`);
    }
  };
  load(text);
  return root;
}

function messagesOf(scope: protobuf.ReflectionObject | null): readonly protobuf.Type[] {
  if (!(scope instanceof protobuf.Namespace)) return [];
  return scope.nestedArray.filter((each): each is protobuf.Type => each instanceof protobuf.Type);
}
