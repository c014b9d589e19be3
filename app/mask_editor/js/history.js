/**
 * Undo and redo of one finding's mask. A step keeps only which pixels changed: run lengths of unchanged and changed
 * pixels inside the dirty box. Changing is its own inverse, so the same step undoes and redoes.
 *
 * @typedef {import("./masks.js").Rect} Rect
 * @typedef {{rect: Rect, runs: Uint32Array, from: number | null, to: number | null, at: number}} Step
 *   from, to: the prediction that the mask descended from, before and after the step; at: when it was made
 */

/**
 * @param {Uint8Array} before @param {Uint8Array} after @param {number} width @param {Rect} rect
 * @returns {Uint32Array | null} run lengths over the box row by row, first a run of unchanged; null if nothing changed
 */
export function changedRuns(before, after, width, rect) {
  /** @type {number[]} */
  const runs = [];
  let changed = 0;
  let length = 0;
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let i = y * width + rect.left; i < y * width + rect.right; i++) {
      if ((before[i] ^ after[i]) === changed) {
        length++;
      } else {
        runs.push(length);
        changed ^= 1;
        length = 1;
      }
    }
  }
  if (!changed && runs.length === 0) return null;
  if (changed) runs.push(length);
  return Uint32Array.from(runs);
}

/** @param {Uint8Array} mask @param {number} width @param {Step} step */
export function toggle(mask, width, step) {
  const { left, top, right } = step.rect;
  const columns = right - left;
  let at = 0;
  step.runs.forEach((length, i) => {
    if (i & 1) {
      for (let k = at; k < at + length; k++) {
        mask[(top + Math.floor(k / columns)) * width + left + (k % columns)] ^= 1;
      }
    }
    at += length;
  });
}

export class History {
  /** @param {number} depth steps kept */
  constructor(depth) {
    this.depth = depth;
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
  }

  /** @param {Omit<Step, "at">} step */
  push(step) {
    this.done.push({ ...step, at: performance.now() });
    if (this.done.length > this.depth) this.done.shift();
    this.undone = [];
  }

  /** @returns {Step | null} the step to toggle */
  undo() {
    const step = this.done.pop() ?? null;
    if (step) this.undone.push(step);
    return step;
  }

  /** @returns {Step | null} the step to toggle */
  redo() {
    const step = this.undone.pop() ?? null;
    if (step) this.done.push(step);
    return step;
  }
}
