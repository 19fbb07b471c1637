/**
 * The words that the text of Sluice avoids, each with the word to use. A pattern names a meaning, not a spelling: `counts
 * records` stays allowed beside `what counts`.
 */
export const wordList = [
  { avoid: /\b(?:goes|go|going|went) on\b(?! (?:the|a|an|its|their|one|each|any)\b)/i, use: 'resume, continue' },
  { avoid: /\bdoubled\b|\b(?:gaps|missing|and|or|no|any|late|contains|holds) doubles?\b/i, use: 'duplicate' },
  { avoid: /\b(?:is|are|was|were|be|been|being|stay|stays|stayed) away\b/i, use: 'unavailable' },
  { avoid: /\b(?:give|gives|gave|given|giving)(?: [\w-]+){0,4} away\b/i, use: 'reassign' },
  { avoid: /\bturn(?:s|ed)? away\b/i, use: 'reject' },
  { avoid: /\b(?:anew|afresh)\b/i, use: 'again, restart' },
  { avoid: /\bcounts? as\b/i, use: 'be treated as' },
  {
    avoid: /\bcounts? (?:for|under|where|once|only|anew|again|no more|no longer|when|here|too)\b/i,
    use: 'take effect, be valid',
  },
  { avoid: /\b(?:what|that|which|one|it|words|generation) counts?(?=[.,;:?)]|$)/i, use: 'take effect, be valid' },
  { avoid: /\bstandstill\b|\b(?:stand|stands|stood|standing|hold|holds|held|holding) still\b/i, use: 'stall, pause' },
  { avoid: /\btold apart\b|\btells? [^.:;,]{0,40}\bapart\b/i, use: 'distinguish' },
  { avoid: /\btold\b/i, use: 'report, notify, know' },
  { avoid: /\btells\b/i, use: 'report, show, state' },
  { avoid: /\bstrangers?\b/i, use: 'unknown client, outsider' },
  { avoid: /\bfrom (?:version |level )?\d[\w.]* on\b/i, use: 'at least, or later' },
  { avoid: /\bon from \d/i, use: 'at least, or later' },
  { avoid: /\bmend(?:s|ed|ing)?\b/i, use: 'fix, repair' },
  { avoid: /\bseldom\b/i, use: 'rarely' },
  { avoid: /\bin vain\b/i, use: 'without success' },
  { avoid: /\bputs? out\b/i, use: 'remove, expire' },
  { avoid: /\bto be had\b|\bbe had\b/i, use: 'be available' },
  { avoid: /\bfor ever\b/i, use: 'forever, without end' },
];

/** A sentence has at most this many words. */
export const SENTENCE_LIMIT = 25;
