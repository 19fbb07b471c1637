import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { logbackConfig } from './cluster-config.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { ensureJars } from './jar-cache.js';
import { findJava } from './java.js';
import { DEFAULT_ROCKETMQ_VERSION, type RocketmqVersion, versionTraits } from './rocketmq-version.js';

const run = promisify(execFile);
const DEFAULT_TIMEOUT_MS = 60_000;

export interface MqadminOptions {
  /** Where RocketMQ's tools write their logs. */
  readonly logDir: string;
  /** 5.5.0 by default. */
  readonly version?: RocketmqVersion;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * RocketMQ's own administration tool, e.g. `['topicRoute', '-n', '127.0.0.1:9876', '-t', 'orders']`; resolves to what it
 * printed. It ends with exit code 0 for most failures, so the text must be looked at.
 * Throws EmbeddedRocketmqError `COMMAND_FAILED`, and those of finding Java and the jars; rejects with the signal's reason.
 */
export async function runMqadmin(args: readonly string[], options: MqadminOptions): Promise<string> {
  const env = options.env ?? process.env;
  const { java } = await findJava(env);
  const version = options.version ?? DEFAULT_ROCKETMQ_VERSION;
  const { libDir } = await ensureJars({ version, env, signal: options.signal });
  if (versionTraits(version).needsLogbackFiles) await writeLogbackConfig(options.logDir);
  const jvmArgs = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Duser.home=${options.logDir}`];
  const main = ['-cp', join(libDir, '*'), 'org.apache.rocketmq.tools.command.MQAdminStartup'];
  try {
    const { stdout, stderr } = await run(java, [...jvmArgs, ...main, ...args], {
      env: { ...env, ROCKETMQ_HOME: options.logDir },
      timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return `${stdout}${stderr}`;
  } catch (cause) {
    options.signal?.throwIfAborted();
    const printed = (cause as { stderr?: string }).stderr ?? '';
    throw new EmbeddedRocketmqError('COMMAND_FAILED', `mqadmin ${args.join(' ')} failed: ${String(cause)}\n${printed}`, { cause });
  }
}

async function writeLogbackConfig(homeDir: string): Promise<void> {
  await mkdir(join(homeDir, 'conf'), { recursive: true });
  await writeFile(join(homeDir, 'conf', 'logback_tools.xml'), logbackConfig(join(homeDir, 'tools.log')));
}
