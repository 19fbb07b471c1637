import type { ConfigOf, ConfigSpec } from '@sluice/sdk';
import { SUBJECT_STRATEGIES } from './subject-name.js';

/** Settings of every converter that asks a schema registry, by the names of Confluent's converters. */
export const registrySpec = {
  'schema.registry.url': {
    type: 'list',
    importance: 'high',
    nonEmpty: true,
    doc: 'The addresses of a schema registry with the Confluent API. One that gives no answer is followed by the next.',
    example: 'http://registry-1:8081,http://registry-2:8081',
  },
  'basic.auth.credentials.source': {
    type: 'string',
    importance: 'medium',
    default: 'URL',
    oneOf: ['URL', 'USER_INFO'],
    doc: 'Where user and password are: in the address, or in `basic.auth.user.info`.',
  },
  'basic.auth.user.info': {
    type: 'password',
    importance: 'medium',
    optional: true,
    aliases: ['schema.registry.basic.auth.user.info'],
    doc: 'User and password with a colon between them, with `basic.auth.credentials.source=USER_INFO`.',
  },
  'bearer.auth.credentials.source': {
    type: 'string',
    importance: 'medium',
    optional: true,
    oneOf: ['STATIC_TOKEN'],
    doc: 'Where the bearer token is: in `bearer.auth.token`.',
  },
  'bearer.auth.token': {
    type: 'password',
    importance: 'medium',
    optional: true,
    doc: 'The token that each request has, with `bearer.auth.credentials.source=STATIC_TOKEN`.',
  },
  'auto.register.schemas': {
    type: 'boolean',
    importance: 'medium',
    default: true,
    doc: 'Whether schemas of records are registered. Without it a schema that the registry does not have is an error.',
  },
  'use.latest.version': {
    type: 'boolean',
    importance: 'low',
    default: false,
    doc: 'Whether values are written by the latest schema of their subject, with `auto.register.schemas=false`. It is asked once for each schema.',
  },
  'latest.compatibility.strict': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: 'Whether the latest schema must be able to read what the schema of the record describes.',
  },
  'normalize.schemas': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether the registry normalizes schemas before it compares them.',
  },
  'key.subject.name.strategy': {
    type: 'string',
    importance: 'medium',
    default: 'TopicNameStrategy',
    oneOf: Object.keys(SUBJECT_STRATEGIES),
    doc: 'How the subject of a key is named: by topic, by the name of the record, or both.',
  },
  'value.subject.name.strategy': {
    type: 'string',
    importance: 'medium',
    default: 'TopicNameStrategy',
    oneOf: Object.keys(SUBJECT_STRATEGIES),
    doc: 'How the subject of a value is named: by topic, by the name of the record, or both.',
  },
  'max.schemas.per.subject': {
    type: 'int',
    importance: 'low',
    default: 1000,
    min: 1,
    doc: 'How many schemas are kept, so that the registry is asked once for each; those that were used longest ago give way.',
  },
  'http.read.timeout.ms': {
    type: 'int',
    importance: 'low',
    default: 60_000,
    min: 1,
    doc: 'How long an address may take to answer, connection included.',
  },
} as const satisfies ConfigSpec;

/** A setting of the formats whose schemas hold defaults. */
export const IGNORE_DEFAULT_FIELD = {
  type: 'boolean',
  importance: 'low',
  default: false,
  doc: 'Whether a null stays null where the schema is optional and has a default.',
} as const;

export type RegistrySettings = ConfigOf<typeof registrySpec>;
