/** Whether a default takes the place of null, in transforms that read fields of structs (KIP-1040). */
export const REPLACE_NULL_FIELD = {
  type: 'boolean',
  importance: 'medium',
  default: true,
  doc: 'Whether a field that is null and whose schema has a default is read as the default.',
} as const;

/** How names of fields are read (KIP-821). */
export const FIELD_SYNTAX_FIELD = {
  type: 'string',
  importance: 'high',
  default: 'V1',
  oneOf: ['V1', 'V2', 'v1', 'v2'],
  doc: 'How names of fields are read: as they are with `V1`, as paths with `V2`, where dots separate names and backticks enclose a name with dots.',
  example: 'V2',
} as const;

/** Returns the syntax that the setting means. */
export function syntaxOf(given: 'V1' | 'V2' | 'v1' | 'v2'): 'V1' | 'V2' {
  return given.toUpperCase() === 'V2' ? 'V2' : 'V1';
}
