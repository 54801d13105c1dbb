// The SHA-256 of a file, computed before the upload, so that a file that is already stored is not sent.

/**
 * 64 hexadecimal digits, or null if the browser cannot compute them. Then the file is uploaded in any case.
 * @param {Blob} file
 * @param {SubtleCrypto | null} [subtle] the browser's own implementation, which exists on secure pages only
 * @returns {Promise<string | null>}
 */
export async function hashFile(file, subtle = globalThis.crypto?.subtle) {
  try {
    if (!subtle) return await hashInWorker(file);
    const digest = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch (error) {
    console.warn("AvatarForge: the file could not be hashed", error);
    return null;
  }
}

/**
 * @param {Blob} file
 * @returns {Promise<string>}
 */
function hashInWorker(file) {
  const worker = new Worker(new URL("./sha256-worker.mjs", import.meta.url), { type: "module" });
  /** @type {Promise<string>} */
  const digest = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
  });
  worker.postMessage(file);
  return digest.finally(() => worker.terminate());
}
