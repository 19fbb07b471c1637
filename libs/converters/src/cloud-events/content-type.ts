import type { Attribute } from './cloud-event.js';

export const JSON_TYPE = 'application/json';
export const BYTES_TYPE = 'application/octet-stream';
export const EVENT_TYPE = 'application/cloudevents+json; charset=UTF-8';
const JSON_MEDIA = /\/(?:[^/]+\+)?json$/i;
const TEXT_MEDIA = /^text\/|[/+]xml$/i;
const CHARSET = /;\s*charset\s*=\s*"?([^;"\s]+)/i;
const UTF8 = /^(?:utf-?8|us-ascii)$/i;

/** Returns whether data of a content type is JSON. In an event that is JSON itself, no content type means JSON too. */
export function isJson(contentType: Attribute | undefined): boolean {
  return contentType === undefined || JSON_MEDIA.test(mediaOf(contentType));
}

/** Returns whether bytes of a content type are text in UTF-8. */
export function isUtf8Text(contentType: Attribute | undefined): boolean {
  return contentType !== undefined && TEXT_MEDIA.test(mediaOf(contentType)) && foreignCharset(contentType) === undefined;
}

/** Returns the charset that a content type names, unless UTF-8 has its bytes. */
export function foreignCharset(contentType: Attribute): string | undefined {
  const [, charset] = CHARSET.exec(String(contentType)) ?? [];
  return charset === undefined || UTF8.test(charset) ? undefined : charset;
}

/** Returns the media type without parameters. */
export function mediaOf(contentType: Attribute): string {
  const [media = ''] = String(contentType).split(';', 1);
  return media.trim();
}
