import { setTimeout as delay } from 'node:timers/promises';
import { sampleLine } from '../support/sample-lines.js';
import { until } from '../support/sluice-cluster.js';
import type { ComposeStack } from './compose-stack.js';
import type { Observer } from './observer.js';

const LINES = 20_000;
const INPUT = 'pipeline-in.txt';
const OUTPUT = 'pipeline-out.txt';
const TOPIC = 'pipeline';
const POLL_MS = 500;
const TIMEOUT_MS = 120_000;

/** Copies a file of the data volume through a topic of one queue, which keeps the order, and waits until both files are identical. */
export async function copyFile(stack: ComposeStack, observer: Observer, signal: AbortSignal): Promise<void> {
  const content = Array.from({ length: LINES }, (_, number) => `${sampleLine(number)}\n`).join('');
  await observer.write(INPUT, content);
  await stack.request('POST', '/connectors', {
    name: 'pipeline-in',
    config: {
      'connector.class': 'FileStreamSource',
      file: `/data/${INPUT}`,
      topic: TOPIC,
      'topic.creation.default.partitions': '1',
    },
  });
  await stack.request('POST', '/connectors', {
    name: 'pipeline-out',
    config: { 'connector.class': 'FileStreamSink', file: `/data/${OUTPUT}`, topics: TOPIC },
  });
  let copied = '';
  await until(
    'the file is copied',
    async () => {
      await delay(POLL_MS, undefined, { signal });
      const text = await observer.read(OUTPUT);
      copied = text.slice(0, text.lastIndexOf('\n') + 1);
      if (!content.startsWith(copied)) throw new Error(`the copy differs from its original: ${difference(content, copied)}`);
      return copied === content;
    },
    TIMEOUT_MS,
    () => `${copied.length} of ${content.length} characters`,
  );
  for (const name of ['pipeline-in', 'pipeline-out']) await stack.request('DELETE', `/connectors/${name}`);
}

function difference(original: string, copy: string): string {
  const copied = copy.split('\n');
  const at = original.split('\n').findIndex((line, index) => line !== copied[index]);
  return `from line ${at + 1} on: ${JSON.stringify(copied[at])}`;
}
