/** Outlines of masks along pixel edges, as paths in image coordinates: sharp at every zoom and exactly the mask's. */

const TILE = 128;

/**
 * The outline inside a box, as unconnected straight pieces.
 * @param {Uint8Array} mask @param {number} width @param {number} height
 * @param {import("./masks.js").Rect} box an edge on its left or upper side belongs to it; on the others only at the
 *   film's border
 * @returns {Path2D | null} null when no edge runs through the box
 */
function traceBox(mask, width, height, box) {
  const path = new Path2D();
  let any = false;
  const lastRow = box.bottom === height ? height + 1 : box.bottom;
  for (let y = box.top; y < lastRow; y++) {
    let start = -1;
    for (let x = box.left; x <= box.right; x++) {
      const above = x < box.right && y > 0 ? mask[(y - 1) * width + x] : 0;
      const below = x < box.right && y < height ? mask[y * width + x] : 0;
      if (above !== below) {
        if (start < 0) start = x;
      } else if (start >= 0) {
        path.moveTo(start, y);
        path.lineTo(x, y);
        any = true;
        start = -1;
      }
    }
  }
  const lastColumn = box.right === width ? width + 1 : box.right;
  for (let x = box.left; x < lastColumn; x++) {
    let start = -1;
    for (let y = box.top; y <= box.bottom; y++) {
      const before = y < box.bottom && x > 0 ? mask[y * width + x - 1] : 0;
      const after = y < box.bottom && x < width ? mask[y * width + x] : 0;
      if (before !== after) {
        if (start < 0) start = y;
      } else if (start >= 0) {
        path.moveTo(x, start);
        path.lineTo(x, y);
        any = true;
        start = -1;
      }
    }
  }
  return any ? path : null;
}

/** The outline of a mask that is being drawn on: kept by tiles, so that a stroke retraces only what it touched. */
export class Outline {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.columns = Math.ceil(width / TILE);
    /** @type {Map<number, Path2D | null>} traced tiles; a tile that is not here is to be traced */
    this.tiles = new Map();
  }

  /** @param {import("./masks.js").Rect} rect changed pixels */
  touch(rect) {
    // Pixels just left of or above a tile own edges on its border.
    const lastX = Math.floor(Math.min(rect.right, this.width - 1) / TILE);
    const lastY = Math.floor(Math.min(rect.bottom, this.height - 1) / TILE);
    for (let ty = Math.floor(rect.top / TILE); ty <= lastY; ty++) {
      for (let tx = Math.floor(rect.left / TILE); tx <= lastX; tx++) this.tiles.delete(ty * this.columns + tx);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {Uint8Array} mask
   * @param {import("./masks.js").Rect} shown @param {import("./masks.js").Rect} bounds box that holds all set pixels
   */
  stroke(context, mask, shown, bounds) {
    const left = Math.max(shown.left, bounds.left);
    const top = Math.max(shown.top, bounds.top);
    const right = Math.min(shown.right, bounds.right + 1, this.width);
    const bottom = Math.min(shown.bottom, bounds.bottom + 1, this.height);
    for (let ty = Math.floor(top / TILE); ty * TILE < bottom; ty++) {
      for (let tx = Math.floor(left / TILE); tx * TILE < right; tx++) {
        const tile = ty * this.columns + tx;
        let path = this.tiles.get(tile);
        if (path === undefined) {
          path = traceBox(mask, this.width, this.height, {
            left: tx * TILE,
            top: ty * TILE,
            right: Math.min(this.width, (tx + 1) * TILE),
            bottom: Math.min(this.height, (ty + 1) * TILE),
          });
          this.tiles.set(tile, path);
        }
        if (path) context.stroke(path);
      }
    }
  }
}

/**
 * The outline of a mask that stays as it is, as closed loops, so that it can be dashed.
 * @param {Uint8Array} mask @param {number} width @param {number} height
 * @param {import("./masks.js").Rect} bounds @returns {Path2D}
 */
export function traceLoops(mask, width, height, bounds) {
  const path = new Path2D();
  /** @param {number} x @param {number} y */
  const at = (x, y) => (x >= 0 && y >= 0 && x < width && y < height ? mask[y * width + x] : 0);
  // Every set pixel with a clear pixel above starts an eastward step of some loop, walked with the mask on the right.
  const columns = bounds.right - bounds.left;
  const walked = new Uint8Array(columns * (bounds.bottom - bounds.top + 1));
  const turns = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ];
  for (let sy = bounds.top; sy < bounds.bottom; sy++) {
    for (let sx = bounds.left; sx < bounds.right; sx++) {
      if (!at(sx, sy) || at(sx, sy - 1) || walked[(sy - bounds.top) * columns + sx - bounds.left]) continue;
      let x = sx;
      let y = sy;
      let heading = 0;
      path.moveTo(x, y);
      do {
        if (heading === 0) walked[(y - bounds.top) * columns + x - bounds.left] = 1;
        x += turns[heading][0];
        y += turns[heading][1];
        // The pixels ahead, on either hand of the step just made.
        const aheadLeft = at(x + [0, 0, -1, -1][heading], y + [-1, 0, 0, -1][heading]);
        const aheadRight = at(x + [0, -1, -1, 0][heading], y + [0, 0, -1, -1][heading]);
        const next = aheadLeft ? (heading + 3) % 4 : aheadRight ? heading : (heading + 1) % 4;
        if (next !== heading) path.lineTo(x, y);
        heading = next;
      } while (x !== sx || y !== sy || heading !== 0);
      path.closePath();
    }
  }
  return path;
}
