import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);
const LIMIT_MS = 120_000;

/** The newest Kubernetes whose schemas the validator of the same version brings along. */
const KUBERNETES_VERSION = '1.37.0';
const validatorPackage = `kubernetes-validate==${KUBERNETES_VERSION}`;
const validatorFolder = fileURLToPath(new URL(`../../.sluice/kubernetes-validate-${KUBERNETES_VERSION}`, import.meta.url));

/** One object of a manifest, as far as the tests look into it. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** The manifests of a kustomization, as `kubectl apply -k` would send them. */
export async function render(folder: string): Promise<string> {
  return (await run('kubectl', ['kustomize', folder], { timeout: LIMIT_MS })).stdout;
}

export function objectsIn(manifests: string): readonly KubernetesObject[] {
  return parseAllDocuments(manifests).map((document) => document.toJS() as KubernetesObject);
}

/** Gets the schema validator once. */
export async function prepareValidator(): Promise<void> {
  if (existsSync(validatorFolder)) return;
  const target = ['--target', validatorFolder, '--disable-pip-version-check', '--root-user-action=ignore'];
  await run('python3', ['-m', 'pip', 'install', '--quiet', ...target, validatorPackage], { timeout: LIMIT_MS });
}

/**
 * Checks a file of manifests against the schemas of Kubernetes; unknown fields are errors.
 * @returns what the validator says about each object
 * @throws Error whose `stdout` has all that is wrong
 */
export async function validate(file: string): Promise<string> {
  const words = ['-m', 'kubernetes_validate', '--strict', '--kubernetes-version', KUBERNETES_VERSION, file];
  const env = { ...process.env, PYTHONPATH: validatorFolder };
  return (await run('python3', words, { timeout: LIMIT_MS, env })).stdout;
}
