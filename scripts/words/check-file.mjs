import { checkText } from './check-text.mjs';
import { codeProse } from './code-prose.mjs';
import { markdownProse } from './markdown-prose.mjs';

/**
 * Lists the words to avoid and the long sentences of a file, in the order of its lines.
 * @param {string} name of the file, which says how to read it
 * @param {string} source
 */
export function checkFile(name, source) {
  const prose = name.endsWith('.md') ? markdownProse(source).map((block) => ({ ...block, sentences: true })) : codeProse(source, name);
  return prose
    .flatMap(({ text, lines, sentences }) => checkText({ text, lineAt: (index) => lines[index] ?? lines.at(-1) ?? 1, sentences }))
    .sort((left, right) => left.line - right.line);
}
