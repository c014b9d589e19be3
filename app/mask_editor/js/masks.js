/**
 * Mask algebra. A mask is a Uint8Array of width * height bytes, row by row, each 0 or 1. Pixel (x, y) is the unit
 * square from (x, y) to (x + 1, y + 1); it is inside a shape when its centre (x + 0.5, y + 0.5) is.
 *
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect half-open pixel box
 * @typedef {{x: number, y: number}} Point in image pixels
 */

/** @param {Rect | null} a @param {Rect | null} b @returns {Rect | null} the box around both; null is nothing */
export function joinRects(a, b) {
  if (!a) return b;
  if (!b) return a;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** @param {Rect | null} a @param {Rect | null} b @returns {Rect | null} what both share */
export function clipRect(a, b) {
  if (!a || !b) return null;
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.right, b.right);
  const bottom = Math.min(a.bottom, b.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : null;
}

/**
 * Run lengths of a mask, the first a run of zeros (0 long when the first pixel is set).
 * @param {Uint8Array} mask @returns {Uint32Array}
 */
export function encodeRuns(mask) {
  let runs = new Uint32Array(4096);
  let count = 0;
  let value = 0;
  for (let from = 0; from < mask.length; value ^= 1) {
    const found = mask.indexOf(value ^ 1, from);
    const to = found < 0 ? mask.length : found;
    if (count === runs.length) {
      const grown = new Uint32Array(runs.length * 2);
      grown.set(runs);
      runs = grown;
    }
    runs[count++] = to - from;
    from = to;
  }
  return runs.slice(0, count);
}

/**
 * @param {Uint32Array} runs @param {number} size pixels in the image @returns {Uint8Array}
 * @throws {Error} when the runs do not fill the image exactly
 */
export function decodeRuns(runs, size) {
  const mask = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i & 1) mask.fill(1, at, at + runs[i]);
    at += runs[i];
  }
  if (at !== size) throw new Error(`The mask has ${at} pixels but its film has ${size}.`);
  return mask;
}

/** @param {Uint32Array} runs @returns {ArrayBuffer} little-endian bytes, whatever the machine's order */
export function runsToBytes(runs) {
  const bytes = new ArrayBuffer(runs.length * 4);
  const view = new DataView(bytes);
  for (let i = 0; i < runs.length; i++) view.setUint32(i * 4, runs[i], true);
  return bytes;
}

/** @param {ArrayBuffer} bytes @returns {Uint32Array} */
export function bytesToRuns(bytes) {
  const view = new DataView(bytes);
  const runs = new Uint32Array(bytes.byteLength >> 2);
  for (let i = 0; i < runs.length; i++) runs[i] = view.getUint32(i * 4, true);
  return runs;
}

/** @param {Uint8Array} mask @param {number} width @param {Rect} rect @returns {number} pixels set inside the box */
export function areaIn(mask, width, rect) {
  let area = 0;
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let i = y * width + rect.left; i < y * width + rect.right; i++) area += mask[i];
  }
  return area;
}

/** @param {Uint8Array} mask @param {number} width @returns {Rect | null} the box around the set pixels */
export function boundsOf(mask, width) {
  const first = mask.indexOf(1);
  if (first < 0) return null;
  const top = Math.floor(first / width);
  const bottom = Math.floor(mask.lastIndexOf(1) / width) + 1;
  let left = width;
  let right = 0;
  for (let y = top; y < bottom; y++) {
    const row = y * width;
    for (let x = 0; x < left; x++) {
      if (mask[row + x]) {
        left = x;
        break;
      }
    }
    for (let x = width - 1; x >= right; x--) {
      if (mask[row + x]) {
        right = x + 1;
        break;
      }
    }
  }
  return { left, top, right, bottom };
}

/**
 * Where a brush of this diameter sits for a pointer: an odd brush on a pixel's centre, an even one on a corner. All
 * stroke coordinates are then multiples of a half, so the rasteriser's arithmetic is exact.
 * @param {Point} point @param {number} diameter @returns {Point}
 */
export function snapToBrush(point, diameter) {
  return diameter % 2
    ? { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 }
    : { x: Math.round(point.x), y: Math.round(point.y) };
}

/**
 * Set (or clear) every pixel whose centre lies within diameter / 2 of the segment a-b.
 * @param {Uint8Array} mask @param {number} width @param {number} height
 * @param {Point} a @param {Point} b snapped by snapToBrush
 * @param {number} diameter whole pixels, at least 1
 * @param {0 | 1} value
 * @returns {Rect | null} the box of rows and columns that may have changed
 */
export function fillCapsule(mask, width, height, a, b, diameter, value) {
  // Half-pixel units make every quantity below an integer.
  const ax = Math.round(a.x * 2);
  const ay = Math.round(a.y * 2);
  const dx = Math.round(b.x * 2) - ax;
  const dy = Math.round(b.y * 2) - ay;
  const length2 = dx * dx + dy * dy;
  const radius2 = diameter * diameter;

  /** @param {number} px @param {number} py a pixel centre in half-pixels */
  const inside = (px, py) => {
    const ux = px - ax;
    const uy = py - ay;
    const along = ux * dx + uy * dy;
    if (along <= 0) return ux * ux + uy * uy <= radius2;
    if (along >= length2) return (ux - dx) ** 2 + (uy - dy) ** 2 <= radius2;
    return (ux * dy - uy * dx) ** 2 <= radius2 * length2;
  };

  const top = Math.max(0, Math.floor((ay + Math.min(0, dy) - diameter - 1) / 2));
  const bottom = Math.min(height, Math.ceil((ay + Math.max(0, dy) + diameter + 1) / 2));
  /** @type {Rect | null} */
  let dirty = null;
  for (let y = top; y < bottom; y++) {
    const py = 2 * y + 1;
    const span = capsuleSpan(ax, ay, dx, dy, diameter, py);
    if (!span) continue;
    let left = Math.max(0, Math.floor((span[0] - 1) / 2));
    let right = Math.min(width - 1, Math.ceil((span[1] - 1) / 2));
    while (left > 0 && inside(2 * left - 1, py)) left--;
    while (left <= right && !inside(2 * left + 1, py)) left++;
    while (right < width - 1 && inside(2 * right + 3, py)) right++;
    while (right >= left && !inside(2 * right + 1, py)) right--;
    if (left > right) continue;
    mask.fill(value, y * width + left, y * width + right + 1);
    dirty = joinRects(dirty, { left, top: y, right: right + 1, bottom: y + 1 });
  }
  return dirty;
}

/**
 * The columns between which a row crosses a capsule, to within rounding: fillCapsule settles the end pixels exactly.
 * All in half-pixels.
 * @param {number} ax @param {number} ay one end @param {number} dx @param {number} dy from there to the other
 * @param {number} radius @param {number} py the row's centre
 * @returns {[number, number] | null}
 */
function capsuleSpan(ax, ay, dx, dy, radius, py) {
  let from = Infinity;
  let to = -Infinity;
  for (const [cx, cy] of [[ax, ay], [ax + dx, ay + dy]]) {
    const rest = radius * radius - (py - cy) ** 2;
    if (rest < 0) continue;
    from = Math.min(from, cx - Math.sqrt(rest));
    to = Math.max(to, cx + Math.sqrt(rest));
  }
  const length = Math.hypot(dx, dy);
  if (length > 0 && dy !== 0) {
    // The slab between the two discs: |cross| <= r * length, and the foot of the perpendicular on the segment.
    const middle = ax + ((py - ay) * dx) / dy;
    const reach = Math.abs((radius * length) / dy);
    let low = middle - reach;
    let high = middle + reach;
    if (dx !== 0) {
      const start = ax - ((py - ay) * dy) / dx;
      const end = start + (length * length) / dx;
      low = Math.max(low, Math.min(start, end));
      high = Math.min(high, Math.max(start, end));
    } else if (Math.sign(dy) * (py - ay) < 0 || Math.sign(dy) * (py - ay) > Math.abs(dy)) {
      low = Infinity;
    }
    if (low <= high) {
      from = Math.min(from, low);
      to = Math.max(to, high);
    }
  }
  return from <= to ? [from, to] : null;
}

/**
 * Set (or clear) every pixel whose centre a closed polygon winds around (non-zero rule).
 * @param {Uint8Array} mask @param {number} width @param {number} height
 * @param {Point[]} points @param {0 | 1} value @returns {Rect | null}
 */
export function fillPolygon(mask, width, height, points, value) {
  if (points.length < 3) return null;
  const ys = points.map((p) => p.y);
  const top = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const bottom = Math.min(height, Math.ceil(Math.max(...ys) - 0.5));
  /** @type {{x: number, turn: number}[][]} */
  const crossings = Array.from({ length: Math.max(0, bottom - top) }, () => []);
  points.forEach((p, i) => {
    const q = points[(i + 1) % points.length];
    if (p.y === q.y) return;
    const [upper, lower, turn] = p.y < q.y ? [p, q, 1] : [q, p, -1];
    const first = Math.max(top, Math.ceil(upper.y - 0.5));
    const last = Math.min(bottom, Math.ceil(lower.y - 0.5));
    for (let y = first; y < last; y++) {
      const x = upper.x + ((y + 0.5 - upper.y) * (lower.x - upper.x)) / (lower.y - upper.y);
      crossings[y - top].push({ x, turn });
    }
  });
  /** @type {Rect | null} */
  let dirty = null;
  crossings.forEach((row, i) => {
    row.sort((a, b) => a.x - b.x);
    let winding = 0;
    for (let k = 0; k + 1 < row.length; k++) {
      winding += row[k].turn;
      if (winding === 0) continue;
      const left = Math.max(0, Math.ceil(row[k].x - 0.5));
      const right = Math.min(width, Math.ceil(row[k + 1].x - 0.5));
      if (left >= right) continue;
      const y = top + i;
      mask.fill(value, y * width + left, y * width + right);
      dirty = joinRects(dirty, { left, top: y, right, bottom: y + 1 });
    }
  });
  return dirty;
}

/**
 * Repaint the connected region of one value around a seed.
 * @param {Uint8Array} mask @param {number} width @param {number} height
 * @param {number} x @param {number} y seed pixel
 * @param {number} to the value it becomes
 * @param {boolean} diagonal whether pixels touching at corners are connected
 * @param {Rect} within the flood stays inside
 * @returns {{rect: Rect, touchesEdge: boolean}} touchesEdge: it reached the border of `within`
 */
export function flood(mask, width, height, x, y, to, diagonal, within) {
  const from = mask[y * width + x];
  const reach = diagonal ? 1 : 0;
  /** @type {Rect} */
  const rect = { left: x, top: y, right: x + 1, bottom: y + 1 };
  let touchesEdge = false;
  const stack = [x, y];
  while (stack.length) {
    const sy = /** @type {number} */ (stack.pop());
    const sx = /** @type {number} */ (stack.pop());
    const row = sy * width;
    if (mask[row + sx] !== from) continue;
    let left = sx;
    let right = sx + 1;
    while (left > within.left && mask[row + left - 1] === from) left--;
    while (right < within.right && mask[row + right] === from) right++;
    mask.fill(to, row + left, row + right);
    rect.left = Math.min(rect.left, left);
    rect.right = Math.max(rect.right, right);
    rect.top = Math.min(rect.top, sy);
    rect.bottom = Math.max(rect.bottom, sy + 1);
    if (left === within.left || right === within.right || sy === within.top || sy === within.bottom - 1) touchesEdge = true;
    for (const ny of [sy - 1, sy + 1]) {
      if (ny < within.top || ny >= within.bottom) continue;
      const start = Math.max(within.left, left - reach);
      const end = Math.min(within.right, right + reach);
      for (let nx = start; nx < end; nx++) {
        const opens = mask[ny * width + nx] === from && (nx === start || mask[ny * width + nx - 1] !== from);
        if (opens) stack.push(nx, ny);
      }
    }
  }
  return { rect, touchesEdge };
}

/**
 * Fill the hole that holds (x, y): background that the mask encloses on every side, corners included.
 * @param {Uint8Array} mask @param {number} width @param {number} height @param {number} x @param {number} y
 * @returns {Rect | null} null when the pixel is set already or its region reaches the film's edge
 */
export function fillHoleAt(mask, width, height, x, y) {
  if (mask[y * width + x] !== 0) return null;
  const film = { left: 0, top: 0, right: width, bottom: height };
  const trial = flood(mask, width, height, x, y, 2, false, film);
  flood(mask, width, height, x, y, trial.touchesEdge ? 0 : 1, false, film);
  return trial.touchesEdge ? null : trial.rect;
}

/**
 * Fill every hole of the mask.
 * @param {Uint8Array} mask @param {number} width @param {number} height @returns {Rect | null}
 */
export function fillAllHoles(mask, width, height) {
  const bounds = boundsOf(mask, width);
  if (!bounds) return null;
  // Background that reaches the edge of the mask's own box is outside; what is left unpainted is a hole.
  const outside = 2;
  for (let x = bounds.left; x < bounds.right; x++) {
    for (const y of [bounds.top, bounds.bottom - 1]) {
      if (mask[y * width + x] === 0) flood(mask, width, height, x, y, outside, false, bounds);
    }
  }
  for (let y = bounds.top; y < bounds.bottom; y++) {
    for (const x of [bounds.left, bounds.right - 1]) {
      if (mask[y * width + x] === 0) flood(mask, width, height, x, y, outside, false, bounds);
    }
  }
  for (let y = bounds.top; y < bounds.bottom; y++) {
    for (let i = y * width + bounds.left; i < y * width + bounds.right; i++) {
      mask[i] = mask[i] === outside ? 0 : 1;
    }
  }
  return bounds;
}

/**
 * Remove the island (8-connected) that holds (x, y).
 * @param {Uint8Array} mask @param {number} width @param {number} height @param {number} x @param {number} y
 * @returns {Rect | null}
 */
export function removeIslandAt(mask, width, height, x, y) {
  if (mask[y * width + x] !== 1) return null;
  const film = { left: 0, top: 0, right: width, bottom: height };
  return flood(mask, width, height, x, y, 0, true, film).rect;
}
