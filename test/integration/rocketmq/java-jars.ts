import { ensureJars, type RocketmqVersion } from '@sluice/embedded-rocketmq';

/** Folder of the jars of a RocketMQ version, the newest by default: its Java client and its tools. */
export async function jarDir(version?: RocketmqVersion): Promise<string> {
  const { libDir } = await ensureJars(version === undefined ? {} : { version });
  return libDir;
}
