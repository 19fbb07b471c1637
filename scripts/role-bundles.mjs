// The roles and the command bundled as in their images, for runs that start many of their processes: each takes half the CPU to get ready.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { root, run } from './setup.mjs';

const apps = ['gateway', 'coordinator', 'source-runner', 'sink-runner', 'cli'];

/** Bundles the built apps into a folder of this run and has SLUICE_ROLE_BUNDLES name it. Resolves with what removes it. */
export async function bundleRoles() {
  // Below the root: what is not in a bundle is found in the root's node_modules.
  const parent = `${root}.sluice/bundles/`;
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(parent);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const app of apps) await run(process.execPath, [`${root}docker/bundle-app.mjs`, app, `${folder}/${app}`]);
  } catch (error) {
    await remove();
    throw error;
  }
  process.env.SLUICE_ROLE_BUNDLES = folder;
  return remove;
}
