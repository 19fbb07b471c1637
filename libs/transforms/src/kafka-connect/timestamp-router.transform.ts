import { routed } from '../fields/topic-routing.js';
import { unfit } from '../fields/transform-error.js';
import { datePatternErrors, JavaDateFormat } from '../java/java-date-format.js';
import { transformPlugin } from '../plugin/part-plugins.js';
import { KAFKA } from '../plugin/plugin-names.js';

export const timestampRouterTransform = transformPlugin({
  name: 'TimestampRouter',
  packages: [KAFKA],
  doc: 'Makes the topic of a record of its topic and its timestamp. A sink sees the new name; its offsets stay those of the topic that it reads.',
  spec: {
    'topic.format': {
      type: 'string',
      importance: 'high',
      default: '${topic}-${timestamp}',
      nonEmpty: true,
      doc: 'The new topic, with `${topic}` and `${timestamp}` in the place of both.',
      example: 'logs-${timestamp}',
    },
    'timestamp.format': {
      type: 'string',
      importance: 'high',
      default: 'yyyyMMdd',
      doc: "How the timestamp is written, in UTC: a pattern of Java's SimpleDateFormat.",
      example: 'yyyy-MM',
    },
  },
  problems: ({ 'timestamp.format': pattern }) => datePatternErrors('timestamp.format', pattern),
  create: ({ 'topic.format': topicFormat, 'timestamp.format': pattern }) => {
    const format = new JavaDateFormat(pattern);
    return {
      apply: (record) => {
        const { topic, timestamp } = record;
        if (timestamp === undefined) throw unfit(`Timestamp missing on record of topic ${topic}`);
        const text = format.format(timestamp);
        return routed(
          record,
          topicFormat.replaceAll('${topic}', () => topic).replaceAll('${timestamp}', () => text),
        );
      },
    };
  },
});
