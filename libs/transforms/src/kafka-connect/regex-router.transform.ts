import { routed } from '../fields/topic-routing.js';
import { JavaPattern, patternErrors } from '../java/java-pattern.js';
import { JavaReplacement, replacementErrors } from '../java/java-replacement.js';
import { transformPlugin } from '../plugin/part-plugins.js';
import { KAFKA, ROCKETMQ } from '../plugin/plugin-names.js';

/** Records name few topics; a connector that makes topic names without end must not fill the memory. */
const MAX_REMEMBERED = 1000;

export const regexRouterTransform = transformPlugin({
  name: 'RegexRouter',
  packages: [KAFKA, ROCKETMQ],
  doc: 'Changes the topic of records whose topic matches a pattern. A sink sees the new name; its offsets stay those of the topic that it reads.',
  spec: {
    regex: {
      type: 'string',
      importance: 'high',
      nonEmpty: true,
      doc: 'A regular expression of Java that the whole topic matches.',
      example: 'db\\.(.*)',
    },
    replacement: {
      type: 'string',
      importance: 'high',
      doc: 'What takes the place of the first match. `$1` and `${name}` stand for groups, and a backslash takes the meaning of the next character.',
      example: 'copy-$1',
    },
  },
  problems: ({ regex, replacement }) => {
    const errors = patternErrors('regex', regex);
    return errors.length > 0 ? errors : replacementErrors('replacement', replacement, new JavaPattern(regex));
  },
  create: ({ regex, replacement: text }) => {
    const pattern = new JavaPattern(regex);
    const replacement = new JavaReplacement(text, pattern);
    const topics = new Map<string, string>();
    return {
      apply: (record) => {
        const { topic } = record;
        let target = topics.get(topic);
        if (target === undefined) {
          target = pattern.matches(topic) ? replacement.replaceFirst(topic) : topic;
          if (topics.size >= MAX_REMEMBERED) topics.clear();
          topics.set(topic, target);
        }
        return routed(record, target);
      },
    };
  },
});
