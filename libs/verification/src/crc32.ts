/** The polynomial of CRC-32/ISO-HDLC with its bits reversed, as in gzip, PNG and `java.util.zip.CRC32`. */
const polynomial = 0xedb88320;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial;
  return value;
});

/** CRC-32 of bytes, as an unsigned number. Node has one of its own from 20.15 on only. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  // An index loop: iterators cost several times as much, and every byte of a load passes here.
  for (let at = 0; at < bytes.length; at += 1) crc = (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
