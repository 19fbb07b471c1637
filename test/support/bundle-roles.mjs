import { bundleRoles } from '../../scripts/role-bundles.mjs';

/** End-to-end specs run the roles as their images do. */
export default async function bundle() {
  globalThis.removeRoleBundles = await bundleRoles();
}
