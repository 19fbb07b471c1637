import { partPlugins } from '../plugin/part-plugins.js';
import { ROCKETMQ } from '../plugin/plugin-names.js';
import { CASE_FORMATS, changeCase } from './case-format.js';
import { renameFields } from './rename-fields.js';

export const changeCaseTransforms = partPlugins({
  name: 'ChangeCase',
  packages: [ROCKETMQ],
  doc: 'Writes the names of all fields in another case; null stays null.',
  spec: {
    from: { type: 'string', importance: 'high', oneOf: CASE_FORMATS, doc: 'How the names are written now.', example: 'UPPER_UNDERSCORE' },
    to: { type: 'string', importance: 'high', oneOf: CASE_FORMATS, doc: 'How they are written then.', example: 'LOWER_CAMEL' },
  },
  create: (part, { from, to }) => renameFields(part, 'changing the case of names', (name) => changeCase(name, from, to)),
});
