// The SHA-256 of a file, before it is sent: one that is stored already need not be.

/**
 * 64 hexadecimal digits, or null where the browser cannot tell: then the file is sent, and the server
 * finds out. `subtle` is the browser's own, which only secure pages have.
 */
export async function hashOf(file, subtle = globalThis.crypto?.subtle) {
  try {
    if (!subtle) return await inWorker(file);
    const digest = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch (error) {
    console.warn("AvatarForge: the file could not be hashed", error);
    return null;
  }
}

function inWorker(file) {
  const worker = new Worker(new URL("./sha256-worker.mjs", import.meta.url), { type: "module" });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
  });
  worker.postMessage(file);
  return answer.finally(() => worker.terminate());
}
