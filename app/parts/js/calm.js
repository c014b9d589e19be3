/** Whether the reader acts just now: a request of ours that crosses the reader's own on the way would undo it. */

const CALM_MS = 500;
const TOUCHES = ["pointerdown", "pointerup", "keydown"];

export class Calm {
  /** @param {AbortSignal} signal that ends the listening */
  constructor(signal) {
    this.touched = -Infinity;
    for (const kind of TOUCHES) {
      addEventListener(kind, () => (this.touched = performance.now()), { capture: true, signal });
    }
  }

  /** @returns {boolean} whether nothing was touched for a moment */
  get is() {
    return performance.now() - this.touched >= CALM_MS;
  }
}
