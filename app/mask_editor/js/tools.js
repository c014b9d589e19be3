/**
 * What a pointer does to a mask. A stroke starts with the pointer down, follows it, and ends as one undoable step, or
 * is cancelled and leaves nothing.
 *
 * @typedef {import("./masks.js").Point} Point
 * @typedef {import("./layers.js").Layer} Layer
 * @typedef {{changed: boolean, says: string}} Outcome says: a sentence for the reader when nothing could be done
 * @typedef {object} Stroke
 * @property {Layer} layer
 * @property {Point[] | null} path what to show of it while it is under way
 * @property {(point: Point) => void} move @property {(cut: boolean) => Outcome} end @property {() => void} cancel
 */

import { fillAllHoles, fillCapsule, fillHoleAt, fillPolygon, joinRects, removeIslandAt, snapToBrush } from "./masks.js";

/** @implements {Stroke} */
export class BrushStroke {
  /** @param {Layer} layer @param {Point} point @param {number} diameter @param {0 | 1} value */
  constructor(layer, point, diameter, value) {
    this.layer = layer;
    this.diameter = diameter;
    this.value = value;
    /** @type {Point[] | null} */
    this.path = null;
    this.before = layer.pixels().slice();
    /** @type {import("./masks.js").Rect | null} */
    this.dirty = null;
    this.at = snapToBrush(point, diameter);
    this.paint(this.at);
  }

  /** @param {Point} point */
  move(point) {
    const to = snapToBrush(point, this.diameter);
    if (to.x !== this.at.x || to.y !== this.at.y) this.paint(to);
  }

  /** @param {Point} to */
  paint(to) {
    const { width, height } = this.layer.film;
    const rect = fillCapsule(this.layer.pixels(), width, height, this.at, to, this.diameter, this.value);
    this.at = to;
    if (!rect) return;
    this.dirty = joinRects(this.dirty, rect);
    this.layer.touch(rect);
  }

  end() {
    return { changed: this.layer.commit(this.before, this.dirty), says: "" };
  }

  cancel() {
    this.layer.pixels().set(this.before);
    if (this.dirty) this.layer.touch(this.dirty);
  }
}

/** @implements {Stroke} */
export class LassoStroke {
  /** @param {Layer} layer @param {Point} point */
  constructor(layer, point) {
    this.layer = layer;
    this.path = [point];
  }

  /** @param {Point} point */
  move(point) {
    this.path.push(point);
  }

  /** @param {boolean} cut take the area away instead of adding it */
  end(cut) {
    const { width, height } = this.layer.film;
    const before = this.layer.pixels().slice();
    const rect = fillPolygon(this.layer.pixels(), width, height, this.path, cut ? 0 : 1);
    if (rect) this.layer.touch(rect);
    return { changed: this.layer.commit(before, rect), says: "" };
  }

  cancel() {}
}

/** @implements {Stroke} */
export class FillStroke {
  /** @param {Layer} layer @param {Point} point */
  constructor(layer, point) {
    this.layer = layer;
    /** @type {Point[] | null} */
    this.path = null;
    this.x = Math.floor(point.x);
    this.y = Math.floor(point.y);
  }

  move() {}

  /** @param {boolean} cut remove the island under the pointer instead of filling the hole */
  end(cut) {
    const { width, height } = this.layer.film;
    if (this.x < 0 || this.y < 0 || this.x >= width || this.y >= height) return { changed: false, says: "" };
    const before = this.layer.pixels().slice();
    const isSet = before[this.y * width + this.x] === 1;
    const rect = (cut ? removeIslandAt : fillHoleAt)(this.layer.pixels(), width, height, this.x, this.y);
    if (rect) this.layer.touch(rect);
    const changed = this.layer.commit(before, rect);
    if (changed) return { changed, says: "" };
    if (cut) return { changed, says: "There is nothing drawn here to remove." };
    if (isSet) return { changed, says: "This is already filled. Click inside a hole." };
    return { changed, says: "This area is not enclosed: close its outline first." };
  }

  cancel() {}
}

/** Fill every hole of a finding. @param {Layer} layer @returns {boolean} whether there was one */
export function fillHoles(layer) {
  const { width, height } = layer.film;
  const before = layer.pixels().slice();
  const rect = fillAllHoles(layer.pixels(), width, height);
  if (rect) layer.touch(rect);
  return layer.commit(before, rect);
}
