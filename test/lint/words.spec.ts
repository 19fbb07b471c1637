import { describe, expect, it } from '@jest/globals';

interface Finding {
  readonly line: number;
  readonly kind: 'word' | 'sentence';
  readonly message: string;
}

const scripts = new URL('../../scripts/words/', import.meta.url);
const { checkFile } = (await import(new URL('check-file.mjs', scripts).href)) as {
  checkFile: (name: string, source: string) => readonly Finding[];
};

const words = (count: number): string => Array.from({ length: count }, (_, n) => `Word${n}`).join(' ');
const found = (name: string, ...lines: readonly string[]): readonly string[] =>
  checkFile(name, lines.join('\n')).map(({ line, kind, message }) => `${line} ${kind} ${message}`);

describe('the check of words', () => {
  it.each([
    ['It goes on at offset 3.', 'resume, continue'],
    ['No record is lost or doubled.', 'duplicate'],
    ['The broker is away.', 'unavailable'],
    ['The leader gives its tasks away.', 'reassign'],
    ['The generator begins anew.', 'again, restart'],
    ['Only the first barrier says what counts.', 'take effect, be valid'],
    ['A new key counts once it is read.', 'take effect, be valid'],
    ['Tasks hold still until then.', 'stall, pause'],
    ['The operator is told.', 'report, notify, know'],
    ['Brokers reject strangers.', 'unknown client, outsider'],
    ['RocketMQ from 5.2 on does so.', 'at least, or later'],
  ])('names the word to use in %j', (text, use) => {
    expect(found('page.md', text)).toEqual([expect.stringMatching(new RegExp(`^1 word ".*": write ${use}$`))]);
  });

  it.each([
    'The task counts records, and counts from 0.',
    'The pause doubles with each attempt.',
    'The message goes on the wire.',
    'Use `goesOn: true` or [this](told.md) to resume from now on.',
  ])('leaves %j', (text) => {
    expect(found('page.md', text)).toEqual([]);
  });

  it('reads comments and texts of code, and no identifiers, imports or single words', () => {
    expect(
      found(
        'file.ts',
        "import { told } from 'what was told';",
        '// It goes on',
        '// anew.',
        "const told = strangers.get('told') ?? { anew: `tasks ${reason} hold still` };",
        '/** Was told. */',
        "throw new Error('the broker' + ' is ' + 'away: // nobody was told');",
        'const pattern = /* a stranger */ /counts as \\/\\/ told/;',
      ),
    ).toEqual([
      '2 word "goes on": write resume, continue',
      '3 word "anew": write again, restart',
      '4 word "hold still": write stall, pause',
      '5 word "told": write report, notify, know',
      '6 word "is away": write unavailable',
      '6 word "told": write report, notify, know',
      '7 word "stranger": write unknown client, outsider',
    ]);
  });
});

describe('the check of sentences', () => {
  it('takes 25 words and refuses 26, at the line where the sentence begins', () => {
    expect(found('page.md', `${words(25)}.`, `${words(25)}.`)).toEqual([]);
    expect(found('page.md', 'One.', 'Two. Three', `${words(25)}.`)).toEqual([
      '2 sentence 26 words: "Three Word0 Word1 Word2 Word3 Word4 …"',
    ]);
  });

  it('takes a code span, a link and an address for their words', () => {
    const line = '`one two three` [two words](https://a.example/x_(y)) https://b.example/a.b/c?d=e';
    expect(found('page.md', `${line} ${words(21)}.`)).toEqual([]);
    expect(found('page.md', `${line} ${words(22)}.`)).toHaveLength(1);
  });

  it('ends a sentence neither at an abbreviation, a version and dots within one, nor at a colon', () => {
    expect(found('page.md', `See e.g. Node 20.12, i.e. ${words(10)} and … so on: ${words(10)}.`)).toHaveLength(1);
  });

  it.each([
    ['list items', [`- ${words(20)}`, `  - ${words(20)}`, `1. ${words(20)}`, '', `* ${words(20)}`]],
    ['table cells', [`| ${words(20)} | ${words(20)} |`, '| --- | --- |', `| ${words(20)} | ${words(20)} |`]],
    ['headings and paragraphs', [`# ${words(20)}`, words(20), '', words(20)]],
    ['quotes and code', [`> ${words(20)}`, '', '```sh', words(60), '```', words(20)]],
    ['units at the end', [`${words(19)} for 3 s. ${words(20)} within 5 m. ${words(20)}`]],
    ['a sentence in brackets', [`${words(20)}. (${words(20)}.) ${words(20)}!`]],
  ])('knows %s', (_, lines) => {
    expect(found('page.md', ...lines)).toEqual([]);
  });

  it('reads docstrings, paragraph by paragraph and tag by tag, but no other comments', () => {
    expect(
      found(
        'file.ts',
        `/** ${words(20)}`,
        ' *',
        ` * {@link Link to a thing} ${words(20)}`,
        ` * @param name - ${words(24)}`,
        ` * @returns ${words(25)}`,
        ' * @throws RocketMqError where',
        ` * the broker refuses ${words(30)} */`,
        `// ${words(30)}`,
        `const text = '${words(30)}';`,
      ),
    ).toEqual([expect.stringMatching(/^6 sentence 34 words: "where the broker/)]);
  });
});
