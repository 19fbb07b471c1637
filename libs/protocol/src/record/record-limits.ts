import { maxValueBytes } from '@sluice/sdk';

/** Largest body of a message, in bytes. */
export const maxBodyBytes = maxValueBytes;

/**
 * Largest property block of a record, in bytes. A broker stores up to 32,767 bytes of properties; the rest is kept for those that client
 * and broker add to every message.
 */
export const maxPropertiesBytes = 32_767 - 767;
