// Whether a file of the compiled nets is the one that was built. No imports.

async function hash(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export async function check(name, bytes, expected) {
  // crypto.subtle is missing on pages that are not served over https or from this machine.
  if (!bytes) throw new Error(`${name} of the compiled nets is missing.`);
  if (!globalThis.crypto?.subtle || !expected) return;
  if ((await hash(bytes)) !== expected) {
    throw new Error(`${name} of the compiled nets is not the file that was built; load it again.`);
  }
}
