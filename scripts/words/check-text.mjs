import { SENTENCE_LIMIT, wordList } from './word-list.mjs';

/** What ends in a period but ends no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|incl|resp|\p{Lu})\.$/u;

/**
 * Finds the words to avoid in a text and, where `sentences` is set, the sentences that are too long.
 * @param {{ text: string, lineAt: (index: number) => number, sentences: boolean }} prose
 * @returns {{ line: number, kind: 'word' | 'sentence', message: string }[]}
 */
export function checkText({ text, lineAt, sentences }) {
  const found = [];
  for (const { avoid, use } of wordList) {
    for (const match of text.matchAll(new RegExp(avoid.source, `${avoid.flags}g`))) {
      found.push({
        line: lineAt(match.index),
        kind: 'word',
        message: `"${match[0].replace(/\s+/g, ' ')}": write ${use}`,
      });
    }
  }
  if (sentences) {
    for (const { start, words } of sentencesOf(text)) {
      if (words.length <= SENTENCE_LIMIT) continue;
      const begin = words.slice(0, 6).join(' ');
      found.push({ line: lineAt(start), kind: 'sentence', message: `${words.length} words: "${begin} …"` });
    }
  }
  return found;
}

/** Splits a paragraph into sentences, each as its words. A colon or semicolon ends none. */
export function sentencesOf(text) {
  const sentences = [];
  let start = 0;
  const close = (end) => {
    const part = text.slice(start, end);
    const words = part.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
    if (words.length > 0) sentences.push({ start: start + part.search(/\S/), words });
    start = end;
  };
  for (const { 0: mark, index } of text.matchAll(/[.!?…]["')\]*_]*(?=\s|$)/gu)) {
    const end = index + mark.length;
    if (mark.startsWith('.') && ABBREVIATION.test(text.slice(Math.max(0, index - 8), index + 1))) continue;
    // What follows in lower case belongs to the same sentence, as after the dots of `put …`.
    if (/^\s+\p{Ll}/u.test(text.slice(end))) continue;
    close(end);
  }
  close(text.length);
  return sentences;
}
