import type protobuf from 'protobufjs';
import type { Schema, SchemaAndValue } from '@sluice/sdk';
import type { FormatReader, FormatWriter, SchemaFormat } from '../registry/registry-converter.js';
import type { RegisteredSchema } from '../registry/schema-registry.js';
import { messageIndexOf, withMessageIndex } from './message-index.js';
import { type ProtobufDecoding, ProtobufDecoder } from './protobuf-decoding.js';
import { ProtobufEncoder } from './protobuf-encoding.js';
import { ProtobufFile } from './protobuf-files.js';
import type { ProtobufSettings } from './protobuf-names.js';
import { ProtobufWriter } from './protobuf-writing.js';

/** Protobuf with messages as Confluent's ProtobufConverter makes them. */
export class ProtobufFormat implements SchemaFormat {
  readonly schemaType = 'PROTOBUF';

  constructor(private readonly settings: ProtobufSettings) {}

  writerOf(schema: Schema): FormatWriter {
    const { text, recordName } = new ProtobufEncoder(this.settings).fileOf(schema);
    return {
      text,
      recordName,
      ...this.#writer(schema, { schema: text, references: [] }, recordName, true),
      by: (latest, isStrict) => this.#writer(schema, latest, recordName, isStrict),
    };
  }

  readerOf(registered: RegisteredSchema): FormatReader {
    const file = new ProtobufFile(registered);
    const readers = new Map<string, ProtobufDecoding & { readonly type: protobuf.Type }>();
    const readerAt = (places: readonly number[]): ProtobufDecoding & { readonly type: protobuf.Type } => {
      const key = places.join('.');
      const known = readers.get(key);
      if (known !== undefined) return known;
      const type = file.at(places);
      const reader = { type, ...new ProtobufDecoder(this.settings).decodingOf(type) };
      // There are as many as the file has messages.
      readers.set(key, reader);
      return reader;
    };
    return {
      read: (payload): SchemaAndValue => {
        const { places, start } = messageIndexOf(payload);
        const { type, schema, decode } = readerAt(places);
        return { value: decode(type.decode(payload.subarray(start))), schema };
      },
    };
  }

  #writer(
    schema: Schema,
    registered: Pick<RegisteredSchema, 'schema' | 'references'>,
    recordName: string,
    isStrict: boolean,
  ): Pick<FormatWriter, 'write'> {
    const file = new ProtobufFile(registered);
    const places = file.placeOf(recordName);
    const type = file.at(places);
    const write = new ProtobufWriter(this.settings, isStrict).writerOf(schema, type);
    return { write: (value) => withMessageIndex(places, type.encode(write(value, 'value')).finish()) };
  }
}
