// Hashes one Blob off the page's thread, so that the page stays responsive.
import { sha256 } from "./sha256.mjs";

onmessage = async ({ data }) => postMessage(sha256(new Uint8Array(await data.arrayBuffer())));
