/**
 * Folders whose text is still to be rewritten. Take a folder out once `npm run lint:words -- FOLDER` finds nothing.
 * @type {string[]}
 */
export const exemptFolders = [];

/** Whether somebody writes this file by hand, for people: docs/reference is generated from texts that are read themselves. */
export function isWritten(file) {
  if (!/\.(?:ts|mjs|cjs|md)$/.test(file) || file.startsWith('docs/reference/')) return false;
  // These two name the words.
  return file !== 'scripts/words/word-list.mjs' && file !== 'test/lint/words.spec.ts';
}
