// The roles bundled as in their images, for runs that start many of their processes: each takes half the CPU time to get ready.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { root, run } from './setup.mjs';

const roles = ['gateway', 'coordinator', 'source-runner', 'sink-runner'];

/** Bundles the built roles into a folder of this run and has SLUICE_ROLE_BUNDLES name it. Resolves with what removes it. */
export async function bundleRoles() {
  // Below the root: what is not in a bundle is found in the root's node_modules.
  const parent = `${root}.sluice/bundles/`;
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(parent);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const role of roles) await run(process.execPath, [`${root}docker/bundle-app.mjs`, role, `${folder}/${role}`]);
  } catch (error) {
    await remove();
    throw error;
  }
  process.env.SLUICE_ROLE_BUNDLES = folder;
  return remove;
}
