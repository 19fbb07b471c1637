import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { SettingsFormatError, type FileEntry } from './properties-file.js';

type Content = YAMLMap['items'][number]['value'];

/**
 * Reads settings from YAML: names with dots, or nested, `http: { port: 8083 }` as `http.port: 8083`. A list is its items joined by commas. Every value
 * is the text that stands there: nothing becomes a number or a truth value on the way.
 *
 * @throws SettingsFormatError for what is not YAML or not a mapping, for a name that comes twice, and for anchors.
 */
export function parseYamlSettings(text: string): readonly FileEntry[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, schema: 'failsafe', prettyErrors: false });
  const lineOf = (node: unknown, otherwise: number): number => {
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    return Array.isArray(range) && typeof range[0] === 'number' ? lineCounter.linePos(range[0]).line : otherwise;
  };
  const [error] = document.errors;
  if (error !== undefined) throw new SettingsFormatError(lineCounter.linePos(error.pos[0]).line, error.message);

  const scalarText = (node: unknown, name: string, line: number): string => {
    if (node === null || node === undefined) return '';
    if (isScalar(node)) return typeof node.value === 'string' ? node.value : '';
    const what = isAlias(node) ? 'anchors and references to them are not read' : 'a list holds plain values only';
    throw new SettingsFormatError(lineOf(node, line), `${name}: ${what}`);
  };
  const entriesOf = (name: string, value: Content, line: number): readonly FileEntry[] => {
    if (isMap(value)) return entriesOfMap(value, `${name}.`);
    const text = isSeq(value) ? value.items.map((item) => scalarText(item, name, line)).join(',') : scalarText(value, name, line);
    return [{ name, text, line }];
  };
  const entriesOfMap = (map: YAMLMap, prefix: string): readonly FileEntry[] =>
    map.items.flatMap(({ key, value }) => {
      const line = lineOf(key, 1);
      return entriesOf(prefix + scalarText(key, 'a name', line), value, line);
    });

  const { contents } = document;
  if (contents === null || (isScalar(contents) && (contents.value ?? '') === '')) return [];
  if (!isMap(contents)) throw new SettingsFormatError(lineOf(contents, 1), 'settings are written as name: value');
  return entriesOfMap(contents, '');
}
