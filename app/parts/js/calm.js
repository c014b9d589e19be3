/** Whether the reader acts just now: a request of ours that crosses the reader's own on the way would undo it. */

const CALM_MS = 500;
const TOUCHES = ["pointerdown", "pointerup", "keydown"];
const BUSY = ["running", "rerunRequested"];

export class Calm {
  /** @param {AbortSignal} signal that ends the listening */
  constructor(signal) {
    this.touched = -Infinity;
    for (const kind of TOUCHES) {
      addEventListener(kind, () => (this.touched = performance.now()), { capture: true, signal });
    }
  }

  /** @returns {boolean} whether nothing was touched for a moment, and what was asked for by touching is drawn: on a slow
   * machine the next page may take longer than the moment, and this one stands there until it comes */
  get is() {
    const state = document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") ?? "";
    return performance.now() - this.touched >= CALM_MS && !BUSY.includes(state);
  }
}
