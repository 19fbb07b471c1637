import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectsIn, prepareValidator, render, validate, type KubernetesObject } from '../../support/kubernetes.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const roles = ['gateway', 'coordinator', 'source-runner', 'sink-runner'];
const runners = ['source-runner', 'sink-runner'];
const needed = ['kubectl', 'python3'];
const missing = needed.filter((tool) => spawnSync(tool, ['--help'], { stdio: 'ignore' }).error !== undefined);

interface Probe {
  readonly httpGet: { readonly path: string };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly {
    readonly image: string;
    readonly env?: readonly { readonly name: string }[];
    readonly envFrom: readonly {
      readonly configMapRef?: { readonly name: string };
      readonly secretRef?: { readonly optional?: boolean };
    }[];
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
  }[];
}

/** Not run where a tool is missing, except by CI. */
const describeWithTools = missing.length === 0 || process.env['CI'] === 'true' ? describe : describe.skip;

describeWithTools('the Kubernetes manifests', () => {
  let folder: string;
  const manifests = new Map<string, string>();
  const objects = (name: string): readonly KubernetesObject[] => objectsIn(manifests.get(name) ?? '');
  const deployments = (name: string): ReadonlyMap<string, { readonly replicas?: number; readonly pod: PodSpec }> =>
    new Map(
      objects(name).flatMap((object) => {
        if (object.kind !== 'Deployment') return [];
        const spec = object['spec'] as { replicas?: number; template: { spec: PodSpec } };
        const replicas = spec.replicas === undefined ? {} : { replicas: spec.replicas };
        return [[object.metadata.name, { ...replicas, pod: spec.template.spec }] as const];
      }),
    );
  const containersOf = (name: string): PodSpec['containers'] => [...deployments(name).values()].flatMap(({ pod }) => pod.containers);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-kubernetes-'));
    await prepareValidator();
    for (const name of ['base', 'autoscaling', 'keda', 'init']) manifests.set(name, await render(join(root, 'kubernetes', name)));
  }, 180_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['base', 'autoscaling', 'keda'])(
    '%s is valid',
    async (name) => {
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, manifests.get(name) ?? '');
      const said = await validate(file);
      for (const role of roles) expect(said).toContain(`passed for resource deployment/${role}`);
    },
    180_000,
  );

  it('only a job that is applied by itself creates topics, on a broker that it names', async () => {
    const file = join(folder, 'init.yaml');
    await writeFile(file, manifests.get('init') ?? '');
    expect(await validate(file)).toContain('passed for resource job/sluice-init');
    for (const name of ['base', 'autoscaling', 'keda']) {
      expect(objects(name).filter(({ kind }) => kind === 'Job')).toEqual([]);
    }
    const [job] = objects('init') as unknown as readonly { spec: { template: { spec: PodSpec } } }[];
    const [container] = job?.spec.template.spec.containers ?? [];
    expect(container).toMatchObject({
      args: ['init', '--new', '--broker', '$(LOG_BROKER)'],
      env: [{ name: 'LOG_BROKER', value: 'broker-a' }],
    });
    expect(job?.spec).not.toHaveProperty('ttlSecondsAfterFinished');
    const made = objects('base').flatMap(({ kind, metadata }) => (kind === 'ConfigMap' ? [metadata.name] : []));
    const used = container?.envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []);
    expect(used).toEqual(made);
  }, 180_000);

  it('a field that Kubernetes does not know is refused', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, (manifests.get('base') ?? '').replace('readinessProbe:', 'readynessProbe:'));
    await expect(validate(file)).rejects.toMatchObject({ stdout: expect.stringContaining('readynessProbe') });
  }, 180_000);

  it('each role has a Deployment, a budget for disruptions, and an image that docker/Dockerfile makes', async () => {
    const dockerfile = await readFile(join(root, 'docker/Dockerfile'), 'utf8');
    const budgets = objects('base').filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect([...deployments('base').keys()].sort()).toEqual([...roles].sort());
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual([...roles].sort());
    for (const { image } of containersOf('base')) {
      expect(dockerfile).toContain(image.replace(/^sluice-(.*):.*$/, '$1'));
    }
  });

  it('probes ask the paths that every role answers', () => {
    for (const container of containersOf('base')) {
      expect(container.startupProbe.httpGet.path).toBe('/health/live');
      expect(container.livenessProbe.httpGet.path).toBe('/health/live');
      expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
    }
  });

  it('nothing runs as root, writes to its image, or takes memory without a limit; secrets are references', () => {
    for (const { pod } of deployments('base').values()) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(20);
    }
    for (const container of containersOf('base')) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toMatch(/^\d+Mi$/);
      expect(container.envFrom).toContainEqual({ secretRef: { name: 'sluice-rocketmq', optional: true } });
    }
    expect(objects('base').filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  it('every setting that they give is one of a node', async () => {
    const settings = await readFile(join(root, 'docs/reference/settings.md'), 'utf8');
    const configMap = objects('base').find(({ kind }) => kind === 'ConfigMap') as { data?: object } | undefined;
    const given = [
      ...Object.keys(configMap?.data ?? {}),
      ...containersOf('base').flatMap(({ env }) => (env ?? []).map(({ name }) => name)),
    ];
    expect(given).toContain('SLUICE_NAMESRV');
    for (const name of given) expect(settings).toContain(`\`${name}\``);
  });

  it.each([
    ['autoscaling', 'HorizontalPodAutoscaler'],
    ['keda', 'ScaledObject'],
  ])('%s leaves the number of runners to a %s', (name, kind) => {
    const scalers = objects(name).filter((object) => object.kind === kind);
    expect(scalers.map(({ metadata }) => metadata.name).sort()).toEqual([...runners].sort());
    for (const [role, { replicas }] of deployments(name)) {
      expect(replicas).toEqual(runners.includes(role) ? undefined : expect.any(Number));
    }
  });
});
