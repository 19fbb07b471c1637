import { CONTEXT_PREFIX, CUT_NAME, OMITTED_NAME } from './dead-letter.js';
import { propertyNeedle, scanProperty } from './property-block.js';
import { SluiceProperty } from './reserved-properties.js';

/**
 * What a reader finds in a dead letter of what `DeadLetterContext` had, be it of Sluice or of another system that writes the same
 * names. What it does not say, or not as a whole, is `undefined`; message and stack trace may be cut.
 */
export interface LetterContext {
  /** `undefined` where the letter has no context, or not enough to tell. */
  readonly writtenBy: 'sink' | 'source' | undefined;
  /** The topic of a sink's message, or that which a source's record was for. */
  readonly topic: string | undefined;
  readonly brokerName: string | undefined;
  readonly queueId: number | undefined;
  readonly connector: string | undefined;
  readonly task: string | undefined;
  readonly stage: string | undefined;
  readonly exceptionClass: string | undefined;
  readonly exceptionMessage: string | undefined;
  /** Says which parts of the record the letter lacks; `undefined` where it lacks none. */
  readonly omitted: string | undefined;
}

/** Reads the context among the properties of a dead letter, as `contextProperties` writes it. */
export function readContext(properties: ReadonlyMap<string, string>): LetterContext {
  const cut = properties.get(CUT_NAME)?.split(',') ?? [];
  const text = (name: string): string | undefined => properties.get(CONTEXT_PREFIX + name);
  const whole = (name: string): string | undefined => (cut.includes(name) ? undefined : text(name));
  const isNamed = (name: string): boolean => text(name) !== undefined || cut.includes(name);
  const isOfSource = isNamed('source.partition') || isNamed('source.position');
  return {
    writtenBy: isOfSource ? 'source' : isNamed('offset') ? 'sink' : undefined,
    topic: whole('topic'),
    brokerName: whole('broker.name'),
    queueId: wholeNumber(whole('queue.id')),
    connector: whole('connector.name'),
    task: whole('task.id'),
    stage: whole('stage'),
    exceptionClass: whole('exception.class.name'),
    exceptionMessage: text('exception.message'),
    omitted: properties.get(OMITTED_NAME),
  };
}

const REDRIVEN = propertyNeedle(SluiceProperty.redriven);

/** Returns whether a message was put back from a dead letter topic, without looking at its other properties. */
export function isRedriven(properties: Buffer): boolean {
  return scanProperty(properties, REDRIVEN) !== undefined;
}

/** Returns how often the record of a dead letter was redriven before. */
export function redrivesOf(properties: ReadonlyMap<string, string>): number {
  return wholeNumber(properties.get(SluiceProperty.redriven)) ?? 0;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
