import { docker } from './docker.js';

/** The roles of Sluice, as services of compose.yaml. */
export const ROLES = ['gateway', 'coordinator', 'source-runner', 'sink-runner'] as const;
export type Role = (typeof ROLES)[number];

/** One container of a compose project, as it was when it was looked at. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly isRunning: boolean;
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  /** `healthy`, `unhealthy` or `starting`; absent without a check. */
  readonly health?: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly finishedMs: number;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: {
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: { readonly Status: string };
  };
}

const PROJECT_LABEL = 'com.docker.compose.project';
const SERVICE_LABEL = 'com.docker.compose.service';

/** All containers of a project by name, also those that have ended. */
export async function containersOf(project: string): Promise<readonly Container[]> {
  const ids = (await docker(['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${PROJECT_LABEL}=${project}`]))
    .split('\n')
    .filter((id) => id !== '');
  if (ids.length === 0) return [];
  const found = JSON.parse(await docker(['inspect', '--type', 'container', ...ids])) as readonly Inspected[];
  return found.map(containerFrom).sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
}

function containerFrom({ Id: id, Name: name, Config: config, State: state }: Inspected): Container {
  return {
    id,
    name: name.replace(/^\//, ''),
    service: config.Labels[SERVICE_LABEL] ?? '',
    isRunning: state.Running,
    exitCode: state.ExitCode,
    isOutOfMemory: state.OOMKilled,
    ...(state.Health === undefined ? {} : { health: state.Health.Status }),
    startedMs: Date.parse(state.StartedAt),
    finishedMs: Date.parse(state.FinishedAt),
  };
}

/** Names of what carries the label of a project, of one kind. */
export async function labelled(kind: 'network' | 'volume', project: string): Promise<readonly string[]> {
  const names = await docker([kind, 'ls', '--filter', `label=${PROJECT_LABEL}=${project}`, '--format', '{{.Name}}']);
  return names.split('\n').filter((name) => name !== '');
}
