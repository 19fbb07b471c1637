import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { createReadStream, existsSync, watchFile, unwatchFile } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DemoOptions {
  readonly url: string;
  readonly directory: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

const SAMPLE = ['Hello', 'RocketMQ', 'from Sluice', '你好', '🚰'];
const WATCH_INTERVAL_MS = 200;

/** Creates the quick start's pair of connectors on a sample file and shows the lines as they arrive. */
export async function startDemo({ url, directory, say, signal }: DemoOptions): Promise<void> {
  await mkdir(directory, { recursive: true });
  const source = join(directory, 'in.txt');
  const sink = join(directory, 'out.txt');
  if (!existsSync(source)) await writeFile(source, SAMPLE.map((line) => `${line}\n`).join(''));
  else await appendFile(source, `Started again at ${new Date().toISOString()}\n`);
  showNewLines(
    sink,
    (line) => {
      say(`out.txt: ${line}`);
    },
    signal,
  );
  await put(`${url}/connectors/demo-source/config`, {
    'connector.class': 'FileStreamSource',
    file: source,
    topic: 'sluice-demo',
    'topic.creation.default.partitions': '1',
  });
  await put(`${url}/connectors/demo-sink/config`, {
    'connector.class': 'FileStreamSink',
    file: sink,
    topics: 'sluice-demo',
  });
  say(`Demo: lines of ${source} go through the topic sluice-demo into ${sink}.`);
  say(`Try: echo 'one more' >> ${source}`);
}

async function put(url: string, config: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  if (!response.ok) throw new Error(`The demo's connector was refused: ${await response.text()}`);
}

function showNewLines(file: string, show: (line: string) => void, signal: AbortSignal): void {
  let position = 0;
  let reading: Promise<void> = Promise.resolve();
  const read = async (): Promise<void> => {
    if (!existsSync(file)) return;
    const stream = createReadStream(file, { start: position });
    for await (const line of createInterface({ input: stream })) show(line);
    position += stream.bytesRead;
  };
  watchFile(file, { interval: WATCH_INTERVAL_MS }, () => {
    reading = reading.then(read);
  });
  signal.addEventListener(
    'abort',
    () => {
      unwatchFile(file);
    },
    { once: true },
  );
}
