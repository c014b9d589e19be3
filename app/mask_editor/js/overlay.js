/** The coloured areas of all shown findings, painted into one canvas of the film's own size. */

import { clipRect, joinRects } from "./masks.js";

/** @param {string} colour "#RRGGBB" @returns {number} as a canvas stores it, opaque */
export function packColour(colour) {
  const value = /^#[0-9a-f]{6}$/i.test(colour) ? parseInt(colour.slice(1), 16) : 0x7fa6c9;
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

export class Overlay {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** @type {HTMLCanvasElement | null} made when there is something to paint */
    this.canvas = null;
    /** @type {import("./masks.js").Rect | null} */
    this.stale = null;
    /** @type {import("./masks.js").Rect | null} everything painted so far */
    this.painted = null;
    this.order = "";
  }

  /** @param {import("./masks.js").Rect | null} rect mask pixels that changed */
  touch(rect) {
    this.stale = joinRects(this.stale, rect);
  }

  /**
   * @param {CanvasRenderingContext2D} context image-to-screen transform already set
   * @param {import("./layers.js").Layer[]} layers shown findings, the topmost last
   * @param {number} opacity 0..1 @param {number} scale device pixels to an image pixel
   */
  draw(context, layers, opacity, scale) {
    const order = layers.map((layer) => `${layer.finding}${layer.colour}`).join("\n");
    if (order !== this.order) {
      this.order = order;
      this.touch(this.painted);
      for (const layer of layers) this.touch(layer.bounds);
    }
    const rect = clipRect(this.stale, { left: 0, top: 0, right: this.width, bottom: this.height });
    if (rect) this.paint(rect, layers);
    this.stale = null;
    if (!this.canvas || layers.length === 0) return;
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = scale < 1;
    context.imageSmoothingQuality = "low";
    context.drawImage(this.canvas, 0, 0);
    context.globalAlpha = 1;
  }

  /** @param {import("./masks.js").Rect} rect @param {import("./layers.js").Layer[]} layers */
  paint(rect, layers) {
    if (!this.canvas) {
      this.canvas = document.createElement("canvas");
      this.canvas.width = this.width;
      this.canvas.height = this.height;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const columns = rect.right - rect.left;
    const image = context.createImageData(columns, rect.bottom - rect.top);
    const out = new Uint32Array(image.data.buffer);
    for (const layer of layers) {
      const part = clipRect(rect, layer.bounds);
      if (!part || !layer.mask) continue;
      const colour = packColour(layer.colour);
      for (let y = part.top; y < part.bottom; y++) {
        let o = (y - rect.top) * columns + part.left - rect.left;
        for (let i = y * this.width + part.left; i < y * this.width + part.right; i++, o++) {
          if (layer.mask[i]) out[o] = colour;
        }
      }
    }
    context.putImageData(image, rect.left, rect.top);
    this.painted = joinRects(this.painted, rect);
  }
}
