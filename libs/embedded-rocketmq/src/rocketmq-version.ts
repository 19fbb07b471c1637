import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';

/** Oldest first. Of each line the newest release of which Maven Central has the name server, the broker and the tools. */
export const ROCKETMQ_VERSIONS = ['4.9.7', '5.1.4', '5.5.0'] as const;
export type RocketmqVersion = (typeof ROCKETMQ_VERSIONS)[number];

export const DEFAULT_ROCKETMQ_VERSION: RocketmqVersion = '5.5.0';

export interface VersionTraits {
  /** Profiles of pom.xml: artifacts that Maven Central has for some versions only. */
  readonly mavenProfiles: readonly string[];
  readonly hasProxy: boolean;
  readonly hasController: boolean;
  /** Whether its processes end at once without `conf/logback_*.xml` in their home. */
  readonly needsLogbackFiles: boolean;
}

const TRAITS: Readonly<Record<RocketmqVersion, VersionTraits>> = {
  '4.9.7': { mavenProfiles: [], hasProxy: false, hasController: false, needsLogbackFiles: true },
  // Maven Central has no proxy of 5.1.4.
  '5.1.4': { mavenProfiles: [], hasProxy: false, hasController: true, needsLogbackFiles: false },
  '5.5.0': {
    mavenProfiles: ['proxy', 'load-generators'],
    hasProxy: true,
    hasController: true,
    needsLogbackFiles: false,
  },
};

export function versionTraits(version: RocketmqVersion): VersionTraits {
  return TRAITS[version];
}

/** Throws EmbeddedRocketmqError `OPTION_INVALID` for a version that is not one of `ROCKETMQ_VERSIONS`. */
export function checkRocketmqVersion(version: string): asserts version is RocketmqVersion {
  if ((ROCKETMQ_VERSIONS as readonly string[]).includes(version)) return;
  throw new EmbeddedRocketmqError(
    'OPTION_INVALID',
    `version ${JSON.stringify(version)} given: ${ROCKETMQ_VERSIONS.join(', ')} are allowed`,
  );
}

export function isOlder(version: RocketmqVersion, than: RocketmqVersion): boolean {
  return ROCKETMQ_VERSIONS.indexOf(version) < ROCKETMQ_VERSIONS.indexOf(than);
}
