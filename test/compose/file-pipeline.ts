import { setTimeout as delay } from 'node:timers/promises';
import { sampleLine } from '../support/sample-lines.js';
import { until } from '../support/sluice-cluster.js';
import type { ComposeStack } from './compose-stack.js';
import type { Observer } from './observer.js';

const lines = 20_000;
const input = 'pipeline-in.txt';
const output = 'pipeline-out.txt';
const topic = 'pipeline';
const pollMs = 500;
const timeoutMs = 120_000;

/** Copies a file of the data volume through a topic of one queue, which keeps the order, and waits until both files are identical. */
export async function copyFile(stack: ComposeStack, observer: Observer, signal: AbortSignal): Promise<void> {
  const content = Array.from({ length: lines }, (_, number) => `${sampleLine(number)}\n`).join('');
  await observer.write(input, content);
  await stack.request('POST', '/connectors', {
    name: 'pipeline-in',
    config: {
      'connector.class': 'FileStreamSource',
      file: `/data/${input}`,
      topic,
      'topic.creation.default.partitions': '1',
    },
  });
  await stack.request('POST', '/connectors', {
    name: 'pipeline-out',
    config: { 'connector.class': 'FileStreamSink', file: `/data/${output}`, topics: topic },
  });
  let copied = '';
  await until(
    'the file is copied',
    async () => {
      await delay(pollMs, undefined, { signal });
      const text = await observer.read(output);
      copied = text.slice(0, text.lastIndexOf('\n') + 1);
      if (!content.startsWith(copied))
        throw new Error(`the copy differs from its original: ${difference(content, copied)}`);
      return copied === content;
    },
    timeoutMs,
    () => `${String(copied.length)} of ${String(content.length)} characters`,
  );
  for (const name of ['pipeline-in', 'pipeline-out']) await stack.request('DELETE', `/connectors/${name}`);
}

function difference(original: string, copy: string): string {
  const copied = copy.split('\n');
  const at = original.split('\n').findIndex((line, index) => line !== copied[index]);
  return `from line ${String(at + 1)} on: ${JSON.stringify(copied[at])}`;
}
