/** Bits of `StoredMessage.sysFlag`. */
export const SYS_FLAG = {
  COMPRESSED: 1,
  MULTI_TAGS: 1 << 1,
  TRANSACTION_MASK: 3 << 2,
  BORN_HOST_V6: 1 << 4,
  STORE_HOST_V6: 1 << 5,
  NEED_UNWRAP: 1 << 6,
  INNER_BATCH: 1 << 7,
  COMPRESSION_TYPE_MASK: 7 << 8,
  /** The three types that the mask selects; 0 leaves the type open. */
  COMPRESSION_LZ4: 1 << 8,
  COMPRESSION_ZSTD: 2 << 8,
  COMPRESSION_ZLIB: 3 << 8,
} as const;
