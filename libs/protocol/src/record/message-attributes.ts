import type { RocketMqAttributes } from '@sluice/sdk';
import { propertyNeedle, propertyText, scanProperty } from './property-block.js';
import { isPlainText } from './text-value.js';

const Property = { tag: 'TAGS', keys: 'KEYS', shardingKey: '__SHARDINGKEY' } as const;
const TAG = propertyNeedle(Property.tag);
const KEYS = propertyNeedle(Property.keys);
const SHARDING_KEY = propertyNeedle(Property.shardingKey);
const DELAY_LEVEL = propertyNeedle('DELAY');
const DELIVER_AT = propertyNeedle('TIMER_DELIVER_MS');

const KEY_SEPARATOR = ' ';
const MAX_KEY_LENGTH = 255;
const KEY = /^[^\s\p{Cc}\p{Cf}\p{Z}]+$/u;

/** Reads what RocketMQ keeps with a message, each attribute when somebody asks for it. */
export class MessageAttributes implements RocketMqAttributes {
  readonly #properties: Buffer;

  constructor(
    properties: Buffer,
    readonly bornAt: number,
  ) {
    this.#properties = properties;
  }

  get tag(): string | undefined {
    return scanProperty(this.#properties, TAG);
  }

  get keys(): readonly string[] {
    return (
      scanProperty(this.#properties, KEYS)
        ?.split(KEY_SEPARATOR)
        .filter((key) => key !== '') ?? []
    );
  }

  get shardingKey(): string | undefined {
    return scanProperty(this.#properties, SHARDING_KEY);
  }

  get delayLevel(): number | undefined {
    return wholeNumber(scanProperty(this.#properties, DELAY_LEVEL));
  }

  get deliverAt(): number | undefined {
    return wholeNumber(scanProperty(this.#properties, DELIVER_AT));
  }
}

/** Returns whether RocketMQ's tools can find a message by this key. */
export function isIndexableKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && KEY.test(key);
}

/**
 * Writes the properties of the attributes that a source may set.
 *
 * @param refused makes the error of an attribute that the message cannot have
 */
export function attributesText(
  { tag, keys, shardingKey, delayLevel, deliverAt, bornAt }: RocketMqAttributes,
  refused: (reason: string) => Error,
): string {
  const delay = deliverAt ?? delayLevel;
  if (delay !== undefined) {
    const name = deliverAt === undefined ? 'delayLevel' : 'deliverAt';
    throw refused(
      `its ${name} is ${delay}, a source cannot delay records: RocketMQ would put it into its queue behind later ones, ` +
        'where sinks drop it as a duplicate.',
    );
  }
  if (bornAt !== undefined) throw refused(`its bornAt is ${bornAt}, RocketMQ's client sets it; a record has a timestamp.`);
  let text = '';
  if (tag !== undefined) {
    if (!isPlainText(tag) || tag.includes('|')) {
      throw refused(`its tag is ${JSON.stringify(tag)}, a tag is a text without control characters and without "|".`);
    }
    text += propertyText(Property.tag, tag);
  }
  if (shardingKey !== undefined) {
    if (!isPlainText(shardingKey)) {
      throw refused(`its sharding key is ${JSON.stringify(shardingKey)}, a sharding key is a text without control characters.`);
    }
    text += propertyText(Property.shardingKey, shardingKey);
  }
  const wrong = keys?.find((key) => !isIndexableKey(key));
  if (wrong !== undefined) {
    throw refused(`one of its keys is ${JSON.stringify(wrong)}, a key has 1 to ${MAX_KEY_LENGTH} characters and no space.`);
  }
  if (keys !== undefined && keys.length > 0) text += propertyText(Property.keys, keys.join(KEY_SEPARATOR));
  return text;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
