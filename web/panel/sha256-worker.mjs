// Hashes one Blob beside the page, which stays usable meanwhile.
import { sha256 } from "./sha256.mjs";

onmessage = async ({ data }) => postMessage(sha256(new Uint8Array(await data.arrayBuffer())));
