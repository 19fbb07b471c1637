import { MAX_VALUE_BYTES } from '@sluice/sdk';

/** Largest body of a message, in bytes. */
export const maxBodyBytes = MAX_VALUE_BYTES;

/**
 * Largest property block of a record, in bytes. A broker stores up to 32,767 bytes of properties; the rest is kept for those that client
 * and broker add to every message.
 */
export const MAX_PROPERTIES_BYTES = 32_767 - 767;

/**
 * The same of a raw record. Its block holds what clients add already, so that a broker adds the name of its cluster and a checksum alone.
 */
export const MAX_RAW_PROPERTIES_BYTES = 32_767 - 255;
