/** Bits of `StoredMessage.sysFlag`. */
export const SYS_FLAG = {
  /** The body is compressed. */
  COMPRESSED: 1,
  /** Brokers and this client set it nowhere. */
  MULTI_TAGS: 1 << 1,
  /** 0 for a message without a transaction; 1 its first half, 2 committed, 3 rolled back. */
  TRANSACTION_MASK: 3 << 2,
  /** The sender's address has 16 bytes instead of 4. */
  BORN_HOST_V6: 1 << 4,
  /** The broker's address has 16 bytes instead of 4. */
  STORE_HOST_V6: 1 << 5,
  /** Together with `INNER_BATCH`: the body is a list of messages. */
  NEED_UNWRAP: 1 << 6,
  INNER_BATCH: 1 << 7,
  /** Selects the type of compression; 0 leaves the type open. */
  COMPRESSION_TYPE_MASK: 7 << 8,
  COMPRESSION_LZ4: 1 << 8,
  COMPRESSION_ZSTD: 2 << 8,
  COMPRESSION_ZLIB: 3 << 8,
} as const;
