/**
 * Fetching films and masks. Both are named by their content and never change, so the browser keeps them, and the
 * newest films are also kept ready in memory for the step to the next study.
 *
 * @typedef {{pixels: string, preview: string, masks: string, drafts: string, labels: string, maps: string}} Routes
 * @typedef {{width: number, height: number, bits: number, pixels: Uint8Array | Uint16Array}} StoredPixels
 */

import { bytesToRuns, decodeRuns } from "./masks.js";

const KEPT_BYTES = 160 * 2 ** 20;

/** @type {Map<string, Promise<StoredPixels>>} least recently used first */
const kept = new Map();
/** @type {Map<string, number>} */
const keptSizes = new Map();

/** @param {string} sha @returns {Promise<StoredPixels>} @param {Routes} routes */
export function loadPixels(routes, sha) {
  const waiting = kept.get(sha) ?? fetchPixels(routes, sha);
  kept.delete(sha);
  kept.set(sha, waiting);
  waiting.then(
    (film) => {
      keptSizes.set(sha, film.pixels.byteLength);
      forgetOldest();
    },
    () => kept.delete(sha),
  );
  return waiting;
}

function forgetOldest() {
  let total = 0;
  for (const size of keptSizes.values()) total += size;
  for (const sha of kept.keys()) {
    if (total <= KEPT_BYTES || kept.size <= 2) return;
    total -= keptSizes.get(sha) ?? 0;
    kept.delete(sha);
    keptSizes.delete(sha);
  }
}

/** @param {Routes} routes @param {string} sha @returns {Promise<StoredPixels>} */
async function fetchPixels(routes, sha) {
  const response = await fetch(`${routes.pixels}/${encodeURIComponent(sha)}`);
  if (!response.ok) throw new Error(await sentenceOf(response, "The film could not be loaded."));
  const header = (/** @type {string} */ name) => Number(response.headers.get(name));
  const width = header("X-Width");
  const height = header("X-Height");
  const bits = header("X-Bits-Stored");
  const bytes = await response.arrayBuffer();
  const pixels = bits <= 8 ? new Uint8Array(bytes) : littleEndian16(bytes);
  if (pixels.length !== width * height) throw new Error("The film arrived cut off. Reload the page.");
  return { width, height, bits, pixels };
}

/** @param {ArrayBuffer} bytes @returns {Uint16Array} */
function littleEndian16(bytes) {
  const hostIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (hostIsLittle) return new Uint16Array(bytes);
  const view = new DataView(bytes);
  return Uint16Array.from({ length: bytes.byteLength >> 1 }, (_, i) => view.getUint16(2 * i, true));
}

/** @param {Routes} routes @param {string} sha @returns {Promise<ImageBitmap>} the film in 8 bits, at once */
export async function loadPreview(routes, sha) {
  const response = await fetch(`${routes.preview}/${encodeURIComponent(sha)}`);
  if (!response.ok) throw new Error(await sentenceOf(response, "The film could not be loaded."));
  return createImageBitmap(await response.blob());
}

/**
 * @param {Routes} routes @param {string} sha @param {number} width @param {number} height
 * @returns {Promise<Uint8Array>}
 */
export async function loadMask(routes, sha, width, height) {
  const response = await fetch(`${routes.masks}/${encodeURIComponent(sha)}?w=${width}&h=${height}`);
  if (!response.ok) throw new Error(await sentenceOf(response, "The mask could not be loaded."));
  return decodeRuns(bytesToRuns(await response.arrayBuffer()), width * height);
}

/** Fetch the next study's films while the reader is still on this one. @param {Routes} routes @param {string[]} shas */
export async function warm(routes, shas) {
  for (const sha of shas) {
    try {
      await loadPixels(routes, sha);
    } catch {
      // The film is only guessed to be next: when it is opened, its failure is told there.
      return;
    }
  }
}

/** @param {Response} response @param {string} otherwise @returns {Promise<string>} what the server said went wrong */
export async function sentenceOf(response, otherwise) {
  try {
    const body = await response.json();
    return typeof body.error === "string" ? body.error : otherwise;
  } catch {
    return otherwise;
  }
}
