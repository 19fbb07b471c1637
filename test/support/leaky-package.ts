/** A package whose connectors write their secrets, in every encoding, wherever they can. */
export const LEAKY_PACKAGE = `
import { readFileSync } from 'node:fs';
const forms = (text) => [text, Buffer.from(text).toString('base64'), Buffer.from('user:' + text).toString('base64'), encodeURIComponent(text), Buffer.from(text).toString('hex')];
const field = (type) => ({ type, importance: 'high', doc: 'A setting.', optional: true });
const spec = { topic: field('string'), url: field('string'), pin: field('password'), token: field('password'), note: field('string'), refuse: field('string') };
const secretsOf = (config) => [config.pin, config.token, config.note, decodeURIComponent(/:([^:@]*)@/.exec(config.url)?.[1] ?? '')].filter((each) => each);
const leak = (config) => secretsOf(config).flatMap(forms).join(' | ');
const common = {
  aliases: [],
  version: '1.0.0',
  doc: 'Names its secrets.',
  spec,
  validate: async (config) => (config.refuse === undefined ? [] : [{ field: 'topic', message: 'refused: ' + leak(config) }]),
  taskConfigs: (config) => {
    if (config.topic === 'unsplittable') throw new Error('cannot be split: ' + leak(config));
    return [{ ...config, 'made.of.note': 'user=admin;' + config.note, 'own.password': config.pin }];
  },
};
const pause = (signal) => new Promise((resolve) => { const timer = setTimeout(resolve, 50); signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }); });
const start = async (context) => {
  context.logger.info('started with ' + leak(context.config));
  context.logger.error('started with ' + JSON.stringify(context.config));
  context.warn('a warning of ' + leak(context.config));
};
export const configProviders = [
  {
    kind: 'config-provider',
    name: 'VaultProvider',
    aliases: [],
    version: '1.0.0',
    doc: 'Reads a file as a vault.',
    spec: { file: { type: 'string', importance: 'high', doc: 'The vault.' } },
    create: ({ file }) => ({ get: async (path, keys) => ({ values: Object.fromEntries(keys.map((key) => [key, JSON.parse(readFileSync(file, 'utf8'))[path][key]])) }) }),
  },
];
let failures = 0;
export const connectors = [
  {
    ...common,
    kind: 'source',
    name: 'LeakySource',
    createTask: () => {
      let config;
      return {
        start: async (context) => { config = context.config; await start(context); },
        poll: async (signal) => {
          await pause(signal);
          failures += 1;
          if (failures % 3 !== 0) throw new Error('poll: ' + leak(config), { cause: new TypeError('cause: ' + leak(config)) });
          return [{ topic: config.topic, value: 'a record', partition: { p: 1 }, position: { n: failures } }];
        },
        stop: async () => {},
      };
    },
  },
  {
    ...common,
    kind: 'sink',
    name: 'LeakySink',
    createTask: () => {
      let config;
      return {
        start: async (context) => { config = context.config; await start(context); },
        put: async () => {
          failures += 1;
          if (failures % 3 !== 0) throw Object.assign(new Error('put: ' + leak(config)), { retriable: failures % 2 === 0 });
        },
        open: async () => [],
        close: async () => {},
        flush: async () => {},
        stop: async () => {},
      };
    },
  },
];
`;
