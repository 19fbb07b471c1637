import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

/** Turns texts into bytes and back; every method returns `undefined` where the encoding cannot hold the text, or the bytes are no text in it. */
export interface TextEncoding {
  /** The name that Java has for it. */
  readonly name: string;
  encode(text: string): Buffer | undefined;
  decode(bytes: Buffer): string | undefined;
}

/** A byte order mark is a character like others here. */
const KEPT_MARK = { stripBOM: false };
const LONE_SURROGATE = /\p{Surrogate}/u;
const BYTE_ORDER_MARK = Buffer.from([0xfe, 0xff]);

/** Whether a text has half a surrogate pair, which no encoding of Unicode can hold. */
export function hasHalfSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

const UTF_8: TextEncoding = {
  name: 'UTF-8',
  encode: (text) => (hasHalfSurrogate(text) ? undefined : Buffer.from(text, 'utf8')),
  decode: (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : undefined),
};

const LITTLE_ENDIAN: TextEncoding = {
  name: 'UTF-16LE',
  encode: (text) => (hasHalfSurrogate(text) ? undefined : Buffer.from(text, 'utf16le')),
  decode: (bytes) => {
    if (bytes.length % 2 !== 0) return undefined;
    const text = bytes.toString('utf16le');
    return hasHalfSurrogate(text) ? undefined : text;
  },
};

const BIG_ENDIAN: TextEncoding = {
  name: 'UTF-16BE',
  encode: (text) => LITTLE_ENDIAN.encode(text)?.swap16(),
  decode: (bytes) => (bytes.length % 2 === 0 ? LITTLE_ENDIAN.decode(Buffer.from(bytes).swap16()) : undefined),
};

/** Writes a byte order mark and big-endian, as Java does; reads what the mark says, big-endian where there is none. */
const UTF_16: TextEncoding = {
  name: 'UTF-16',
  encode: (text) => {
    const bytes = BIG_ENDIAN.encode(text);
    return bytes === undefined || bytes.length === 0 ? bytes : Buffer.concat([BYTE_ORDER_MARK, bytes]);
  },
  decode: (bytes) => {
    const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
    if (mark === 0xfffe) return LITTLE_ENDIAN.decode(bytes.subarray(2));
    return BIG_ENDIAN.decode(mark === 0xfeff ? bytes.subarray(2) : bytes);
  },
};

const ISO_8859_1: TextEncoding = {
  name: 'ISO-8859-1',
  encode: (text) => (/^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : undefined),
  decode: (bytes) => bytes.toString('latin1'),
};

const US_ASCII: TextEncoding = {
  name: 'US-ASCII',
  encode: (text) => (/^[\0-\x7f]*$/.test(text) ? Buffer.from(text, 'latin1') : undefined),
  decode: (bytes) => (isAscii(bytes) ? bytes.toString('latin1') : undefined),
};

/** Those of one byte a character that `TextDecoder` has under the same name with the same characters. */
const ONE_BYTE = [
  ...[1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => `windows-${page}`),
  ...[2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15].map((part) => `ISO-8859-${part}`),
  'KOI8-R',
  'KOI8-U',
  'IBM866',
];

/**
 * The bytes of the longest character. A library converts both by the table of GB18030: GBK is its characters of at most two bytes. Compared with
 * Java 17, all codes agree but 83 of GBK, which Java keeps for private use, and 37 of GB18030.
 */
const CHINESE: Readonly<Record<string, number>> = { GBK: 2, GB18030: 4 };

/** What the bytes from 0x80 mean in windows-1252: some versions of Node decode it as ISO-8859-1. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Other names that Java takes, in capitals and without `-`, `_` and `:`. */
const ALIASES: Readonly<Record<string, string>> = {
  ISO88591: 'ISO-8859-1',
  LATIN1: 'ISO-8859-1',
  L1: 'ISO-8859-1',
  '88591': 'ISO-8859-1',
  CP819: 'ISO-8859-1',
  IBM819: 'ISO-8859-1',
  ASCII: 'US-ASCII',
  ISO646US: 'US-ASCII',
  ASCII7: 'US-ASCII',
  UNICODE: 'UTF-16',
  UNICODEBIG: 'UTF-16',
  XUTF16BE: 'UTF-16BE',
  UNICODEBIGUNMARKED: 'UTF-16BE',
  XUTF16LE: 'UTF-16LE',
  UNICODELITTLEUNMARKED: 'UTF-16LE',
  LATIN2: 'ISO-8859-2',
  LATIN9: 'ISO-8859-15',
  CP866: 'IBM866',
  CP936: 'GBK',
  WINDOWS936: 'GBK',
  GB180302000: 'GB18030',
  ...Object.fromEntries([1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => [`CP${page}`, `windows-${page}`])),
};

const MAKERS: ReadonlyMap<string, () => TextEncoding> = new Map([
  ...[UTF_8, UTF_16, BIG_ENDIAN, LITTLE_ENDIAN, ISO_8859_1, US_ASCII].map((each) => [each.name, () => each] as const),
  ...ONE_BYTE.map((name) => [name, () => oneByteEncoding(name)] as const),
  ...Object.entries(CHINESE).map(([name, longest]) => [name, () => chineseEncoding(name, longest)] as const),
]);
const NAMES: ReadonlyMap<string, string> = new Map([
  ...[...MAKERS.keys()].map((name) => [plain(name), name] as const),
  ...Object.entries(ALIASES),
]);

/** The names that Java has for the encodings of {@link textEncoding}. */
export const TEXT_ENCODINGS: readonly string[] = [...MAKERS.keys()];

/** Returns the encoding of a name or alias that Java has, in any case; `undefined` for one whose every character Node cannot convert exactly. */
export function textEncoding(name: string): TextEncoding | undefined {
  return MAKERS.get(NAMES.get(plain(name)) ?? '')?.();
}

function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[-_:]/g, '');
}

function oneByteEncoding(name: string): TextEncoding {
  const texts = Array.from({ length: 256 }, (_, code) => characterOf(name, code));
  const codes = new Map(texts.flatMap((text, code) => (text === undefined ? [] : [[text, code] as const])));
  return {
    name,
    encode: (text) => {
      const bytes = Buffer.allocUnsafe(text.length);
      for (let at = 0; at < text.length; at += 1) {
        const code = codes.get(text.charAt(at));
        if (code === undefined) return undefined;
        bytes[at] = code;
      }
      return bytes;
    },
    decode: (bytes) => {
      let text = '';
      for (const code of bytes) {
        const character = texts[code];
        if (character === undefined) return undefined;
        text += character;
      }
      return text;
    },
  };
}

/** Returns `undefined` where the byte means nothing. */
function characterOf(name: string, code: number): string | undefined {
  if (name === 'windows-1252' && code >= 0x80) return WINDOWS_1252[code - 0x80] ?? String.fromCharCode(code);
  try {
    return new TextDecoder(name, { fatal: true }).decode(Uint8Array.of(code));
  } catch {
    return undefined;
  }
}

function chineseEncoding(name: string, longest: number): TextEncoding {
  const table = 'GB18030';
  // The library replaces what it cannot convert: only what comes back as it was is exact.
  const encode = (text: string): Buffer | undefined => {
    const bytes = iconv.encode(text, table);
    return iconv.decode(bytes, table, KEPT_MARK) === text ? bytes : undefined;
  };
  const isLong = (text: string): boolean => {
    if (longest < 4) for (const character of text) if (iconv.encode(character, table).length > longest) return true;
    return false;
  };
  return {
    name,
    encode: (text) => (isLong(text) ? undefined : encode(text)),
    decode: (bytes) => {
      const text = iconv.decode(bytes, table, KEPT_MARK);
      return !isLong(text) && encode(text)?.equals(bytes) === true ? text : undefined;
    },
  };
}
