import { describe, expect, it } from '@jest/globals';
import { topicsOf, type TopicDefinition } from '@sluice/protocol';
import type { ClusterSurvey, FoundTopic } from './cluster-survey.js';
import { planInit, type InitRequest } from './init-plan.js';

const topics = topicsOf('c');
const names = (Object.values(topics) as TopicDefinition[]).map(({ name }) => name);
const { log, positions } = topics;
const empty: FoundTopic = { brokers: ['a'], isEmpty: true };
const used: FoundTopic = { brokers: ['a'], isEmpty: false };

const all = (topic: FoundTopic, changed: Readonly<Record<string, FoundTopic | undefined>> = {}): ClusterSurvey =>
  new Map(
    names.flatMap((name) => {
      const found = name in changed ? changed[name] : topic;
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
const nothing: ClusterSurvey = new Map();
const plan = (survey: ClusterSurvey, request: Partial<InitRequest>): ReturnType<typeof planInit> =>
  planInit(survey, topics, {
    clusterId: 'c',
    purpose: 'create',
    brokerName: undefined,
    registered: ['a', 'b'],
    readerGroup: undefined,
    knownIn: undefined,
    ...request,
  });

describe('planInit', () => {
  it('creates all topics on the named broker where nothing exists and a new cluster is asked for', () => {
    expect(plan(nothing, { brokerName: 'b' })).toEqual({ brokerName: 'b', missing: names, beginsLog: true });
  });

  it.each(['check', 'add-missing'] as const)('creates nothing from nothing to %s', (purpose) => {
    expect(() => plan(nothing, { purpose, brokerName: 'b' })).toThrow(
      /Nothing of Connect cluster c exists on the brokers that are registered.*start the broker.*sluice init --new --cluster c/,
    );
  });

  it('asks for the broker of a new cluster, with those that there are', () => {
    expect(() => plan(nothing, {})).toThrow(
      '--broker is missing: name the broker that gets the topics of the new Connect cluster; there are: a, b',
    );
  });

  it('creates no second cluster where a node or a group shows a first one', () => {
    expect(() => plan(nothing, { brokerName: 'b', knownIn: '/s/n' })).toThrow('--cluster c --from /s/n`');
    expect(() => plan(nothing, { brokerName: 'b', knownIn: "/s/it's n" })).toThrow(`--cluster c --from '/s/it'\\''s n'\``);
    expect(() => plan(nothing, { brokerName: 'b', readerGroup: 'g' })).toThrow('group g of its readers exists');
  });

  it.each(['check', 'create', 'add-missing'] as const)('changes nothing where the cluster is there, to %s', (purpose) => {
    const there = { brokerName: 'a', missing: [], beginsLog: false };
    expect(plan(all(used), { purpose, knownIn: '/s/n', readerGroup: 'g' })).toEqual(there);
    expect(plan(all(empty, { [log.name]: used }), { purpose, brokerName: 'a' })).toEqual(there);
  });

  it('cannot move a cluster to another broker', () => {
    expect(() => plan(all(used), { brokerName: 'b' })).toThrow('--broker b cannot move it');
    const spread = all(used, { [positions.name]: { brokers: ['b'], isEmpty: true } });
    expect(() => plan(spread, {})).toThrow('on several brokers (a, b)');
  });

  it('creates a topic that is missing beside the log only when it is asked to', () => {
    const survey = all(used, { [positions.name]: undefined });
    for (const purpose of ['check', 'create'] as const) {
      expect(() => plan(survey, { purpose })).toThrow(`without ${positions.name}. To create what is missing, empty, stop all nodes`);
    }
    const added = { brokerName: 'a', missing: [positions.name], beginsLog: false };
    expect(plan(survey, { purpose: 'add-missing' })).toEqual(added);
  });

  it.each([
    ['empty', empty],
    ['gone', undefined],
  ])('refuses a log that is %s beside topics that hold messages', (how, found) => {
    const survey = all(empty, { [log.name]: found, [positions.name]: used });
    for (const purpose of ['check', 'create', 'add-missing'] as const) {
      expect(() => plan(survey, { purpose })).toThrow(
        `Topic ${log.name} is ${how}, though ${positions.name} holds messages: the log of Connect cluster c was lost. Stop all nodes and run`,
      );
    }
    expect(() => plan(all(empty, { [log.name]: found }), { knownIn: '/s/n' })).toThrow('/s/n knows it');
  });

  it('finishes what was broken off, on the broker where it was begun', () => {
    const begun = all(empty, { [log.name]: undefined });
    expect(plan(begun, { brokerName: 'a', readerGroup: 'g' })).toEqual({
      brokerName: 'a',
      missing: [log.name],
      beginsLog: true,
    });
    expect(plan(all(empty), {})).toEqual({ brokerName: 'a', missing: [], beginsLog: true });
    expect(() => plan(begun, { brokerName: 'b' })).toThrow('--broker b cannot move it');
    expect(() => plan(begun, { purpose: 'check' })).toThrow('sluice init --new --cluster c --broker a');
  });
});
