/**
 * Reads the paragraphs, list items and table cells of a Markdown text. Code is left out: a span of it is one word.
 * @param {string} source
 * @returns {{ text: string, lines: number[] }[]} `lines` holds the line of each character
 */
export function markdownProse(source) {
  const blocks = [];
  let open;
  let fence;
  const close = () => {
    if (open !== undefined) blocks.push(open);
    open = undefined;
  };
  source.split('\n').forEach((line, index) => {
    const number = index + 1;
    const marker = /^\s*(?:[-*+] |\d+\. )*\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence !== undefined) {
      if (marker?.startsWith(fence)) fence = undefined;
      return;
    }
    if (marker !== undefined) {
      fence = marker;
      close();
      return;
    }
    const bare = line.replace(/^\s*(?:>\s?)*/, '');
    if (bare.trim() === '' || /^(?:[-=:|\s]+|<!--.*-->)$/.test(bare)) return void close();
    if (bare.startsWith('|')) {
      close();
      for (const cell of bare.replaceAll('\\|', '/').split('|')) blocks.push(block(cell, number));
      return;
    }
    const item = /^(?:[-*+]|\d+\.)\s+(?:\[[ x]\]\s+)?|^#{1,6}\s+/.exec(bare);
    if (item !== null) close();
    const text = item === null ? bare : bare.slice(item[0].length);
    open = open === undefined ? block(text, number) : joined(open, text, number);
    if (bare.startsWith('#')) close();
  });
  close();
  return blocks.map(({ text, lines }) => plain(text, lines));
}

function block(text, line) {
  return { text, lines: Array(text.length).fill(line) };
}

function joined(before, text, line) {
  return { text: `${before.text} ${text}`, lines: [...before.lines, ...Array(text.length + 1).fill(line)] };
}

/** Leaves code spans and addresses as one word each, and links as their text. */
function plain(text, lines) {
  const parts = [];
  const kept = [];
  let last = 0;
  const keep = (from, to) => {
    parts.push(text.slice(from, to));
    kept.push(...lines.slice(from, to));
  };
  for (const match of text.matchAll(/(`+)[^`]*?\1|\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)|https?:\/\/\S*[^\s.,;:)]/g)) {
    keep(last, match.index);
    last = match.index + match[0].length;
    const label = match[2] === undefined ? 'Code' : match[2].replace(/`[^`]*`/g, 'Code');
    parts.push(label);
    kept.push(...Array(label.length).fill(lines[match.index]));
  }
  keep(last, text.length);
  return { text: parts.join(''), lines: kept };
}
