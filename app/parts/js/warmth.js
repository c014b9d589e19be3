/** Where a model looked, as a picture that lies over a film. */

import { make } from "../../mask_editor/js/make.js";

const TINT = [127, 166, 201];

/** @param {number[][]} map rows of 0 to 255 over the whole film @returns {HTMLCanvasElement} */
export function warmth(map) {
  const canvas = make("canvas", { class: "heat", width: map[0].length, height: map.length });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(canvas.width, canvas.height);
  map.flat().forEach((value, place) => image.data.set([...TINT, value], 4 * place));
  pen.putImageData(image, 0, 0);
  return canvas;
}
