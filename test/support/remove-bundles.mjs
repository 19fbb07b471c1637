export default async function removeBundles() {
  await globalThis.removeRoleBundles?.();
}
