/**
 * The largest value, in bytes, that is sure to fit into a message. Brokers accept 4 MiB by default (`maxMessageSize`); 64 KiB of that are
 * reserved for headers, keys and framing.
 */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024 - 64 * 1024;
