type SubjectNamer = (topic: string, part: 'key' | 'value', recordName: string | undefined) => string;

const PREFIX = 'io.confluent.kafka.serializers.subject.';

const byTopic: SubjectNamer = (topic, part) => `${topic}-${part}`;
const byRecord: SubjectNamer = (_topic, _part, recordName) => required(recordName);
const byTopicAndRecord: SubjectNamer = (topic, _part, recordName) => `${topic}-${required(recordName)}`;

/** Makes the subject of a schema, by the class names that Confluent's serializers have. A strategy by record throws where the schema has no name. */
export const SUBJECT_STRATEGIES: Readonly<Record<string, SubjectNamer>> = {
  TopicNameStrategy: byTopic,
  RecordNameStrategy: byRecord,
  TopicRecordNameStrategy: byTopicAndRecord,
  [`${PREFIX}TopicNameStrategy`]: byTopic,
  [`${PREFIX}RecordNameStrategy`]: byRecord,
  [`${PREFIX}TopicRecordNameStrategy`]: byTopicAndRecord,
};

function required(recordName: string | undefined): string {
  if (recordName !== undefined) return recordName;
  throw new TypeError('The subject is named by the record, and the schema is of no record; take TopicNameStrategy');
}
