import { redrivenProperties } from '@sluice/protocol';
import type { Producer, QueueRef } from '@sluice/rocketmq';
import { targetTopicProblem } from '@sluice/sdk';
import type { Letter } from './letter.js';

/** A record as it is sent. */
export type RedrivenMessage = Parameters<Producer['sendEncoded']>[1];

/** Why a letter that passes the filters is not sent. */
export type LeftReason = 'incomplete' | 'redriven-too-often' | 'without-topic' | 'wrong-topic' | 'of-a-source';

/** What decides where letters go, and which stay. */
export interface RedriveRules {
  /** The dead letter topic. */
  readonly topic: string;
  /** Where all letters go; `undefined`: each back to its own topic. */
  readonly to: string | undefined;
  /** What is done with letters of sources, which hold no message but a value as JSON. */
  readonly sourceLetters: 'refuse' | 'as-json';
  /** A record that was redriven so often stays a dead letter. */
  readonly maxRedrives: number;
}

/** What becomes of a letter: its record is sent, or it stays. */
export type LetterPlan =
  | {
      readonly kind: 'send';
      readonly topic: string;
      /** The queue that the record came from, where it goes back to its own topic. */
      readonly queue: QueueRef | undefined;
      readonly message: RedrivenMessage;
    }
  | { readonly kind: 'left'; readonly reason: LeftReason; readonly detail?: string };

/** Decides what becomes of a letter that passes the filters. */
export function planLetter(letter: Letter, rules: RedriveRules): LetterPlan {
  const { context, redrives } = letter;
  // Null would stand where the value was: a sink deletes for that.
  if (context.omitted !== undefined) return { kind: 'left', reason: 'incomplete', detail: context.omitted };
  if (redrives >= rules.maxRedrives) return { kind: 'left', reason: 'redriven-too-often', detail: `${redrives} times` };
  const own = context.writtenBy === undefined ? undefined : context.topic;
  const topic = rules.to ?? own;
  if (topic === undefined) return { kind: 'left', reason: 'without-topic' };
  const problem = topic === rules.topic ? `Topic ${topic} is the dead letter topic itself` : targetTopicProblem(topic);
  if (problem !== undefined) return { kind: 'left', reason: 'wrong-topic', detail: problem };
  if (context.writtenBy === 'source' && rules.sourceLetters === 'refuse') return { kind: 'left', reason: 'of-a-source' };
  return { kind: 'send', topic, queue: topic === own ? queueOf(letter, topic) : undefined, message: messageOf(letter) };
}

function queueOf({ context: { brokerName, queueId } }: Letter, topic: string): QueueRef | undefined {
  if (brokerName === undefined || queueId === undefined) return undefined;
  return { topic, brokerName, queueId };
}

/** The bytes of the body stay as they are stored, compressed or not. */
function messageOf({ message, redrives }: Letter): RedrivenMessage {
  const { compressed, flag, bornTimestamp, rawProperties } = message;
  const { body, sysFlag } = compressed ?? { body: message.body, sysFlag: 0 };
  return { body, sysFlag, flag, bornAt: bornTimestamp, properties: redrivenProperties(rawProperties, redrives + 1) };
}
