/**
 * Maps of where a model looked: grey pictures of a film's shape, bright where it looked, shown in the finding's colour.
 *
 * @typedef {{finding: string, sha: string}} MapData
 */

import { sentenceOf } from "./loading.js";

const OPACITY = 0.75;

/**
 * @param {import("./loading.js").Routes} routes @param {string} sha @param {string} colour "#RRGGBB"
 * @returns {Promise<HTMLCanvasElement>} the colour, as opaque as the map is bright
 */
export async function loadMap(routes, sha, colour) {
  const response = await fetch(`${routes.maps}/${encodeURIComponent(sha)}`);
  if (!response.ok) throw new Error(await sentenceOf(response, "The map could not be loaded."));
  const grey = await createImageBitmap(await response.blob());
  const canvas = document.createElement("canvas");
  canvas.width = grey.width;
  canvas.height = grey.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(grey, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  for (let i = 0; i < image.data.length; i += 4) {
    const bright = image.data[i];
    image.data.set([red, green, blue, bright * OPACITY], i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
