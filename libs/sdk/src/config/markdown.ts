import { type ConfigSpec, type Field, isRequiredField } from './config-fields.js';
import { defaultText } from './describe-fields.js';

/** Writes the settings of a spec as a Markdown table, in the order of the spec. */
export function toMarkdown(spec: ConfigSpec): string {
  const rows = Object.entries(spec).map(([name, field]) =>
    [names(name, field), typeText(field), defaultCell(field), field.importance, description(field)].join(' | '),
  );
  return ['Setting | Type | Default | Importance | Description', '--- | --- | --- | --- | ---', ...rows]
    .map((row) => `| ${row} |`)
    .join('\n');
}

function names(name: string, field: Field): string {
  const aliases = (field.aliases ?? []).map((alias) => `\`${alias}\``).join(', ');
  return aliases === '' ? `\`${name}\`` : `\`${name}\` (also ${aliases})`;
}

function typeText(field: Field): string {
  switch (field.type) {
    case 'string':
      return field.oneOf === undefined ? 'string' : `one of ${field.oneOf.map((value) => `\`${value}\``).join(', ')}`;
    case 'int':
    case 'long':
    case 'double':
      return field.type + rangeText(field.min, field.max);
    case 'boolean':
    case 'list':
    case 'password':
    case 'class':
      return field.type;
    default:
      return field satisfies never;
  }
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
}

function defaultCell(field: Field): string {
  if (isRequiredField(field)) return '**required**';
  const text = defaultText(field);
  return text === null || text === '' ? '_none_' : `\`${text}\``;
}

function description(field: Field): string {
  const example = field.example === undefined ? '' : ` Example: \`${field.example}\`.`;
  return (field.doc + example).replaceAll('|', '\\|').replaceAll('\n', ' ');
}
