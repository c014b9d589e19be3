/**
 * Pointers on a pane. Left drag draws, right drag windows, middle drag or a held space pans, the wheel zooms at the
 * pointer; two fingers pinch. Once a pen has been seen, a single finger pans, so a resting hand leaves no mark.
 *
 * @typedef {{kind: "draw" | "pan" | "window" | "pinch", pointer: number, x: number, y: number}} Gesture
 */

const ERASER_BUTTON = 32;

/** Some window managers keep Alt and drag to themselves; Shift then does the same. @param {PointerEvent} event */
const cuts = (event) => event.altKey || event.shiftKey;

export class Gestures {
  /** @param {import("./pane.js").Pane} pane @param {import("./editor.js").Editor} editor */
  constructor(pane, editor) {
    this.pane = pane;
    this.editor = editor;
    this.hands = editor.hands;
    this.sight = editor.sight;
    /** @type {Gesture | null} */
    this.gesture = null;
    /** @type {Map<number, {x: number, y: number}>} fingers down */
    this.fingers = new Map();
    this.hasPen = false;
    const surface = pane.upper;
    surface.addEventListener("pointerdown", (event) => this.down(event));
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerup", (event) => this.up(event, false));
    surface.addEventListener("pointercancel", (event) => this.up(event, true));
    surface.addEventListener("pointerleave", () => this.leave());
    surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    surface.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** @param {{clientX: number, clientY: number}} event @returns {{x: number, y: number}} on the pane */
  place(event) {
    const box = this.pane.upper.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  down(event) {
    event.preventDefault();
    this.pane.upper.focus({ preventScroll: true });
    this.editor.activate(this.pane);
    const { x, y } = this.place(event);
    if (event.pointerType === "pen") this.hasPen = true;
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, { x, y });
      const isPenDrawing = this.gesture && !this.fingers.has(this.gesture.pointer) && this.gesture.kind !== "pinch";
      if (this.fingers.size === 2 && !isPenDrawing) {
        if (this.gesture?.kind === "draw") this.hands.cancel(this.pane);
        this.gesture = { kind: "pinch", pointer: -1, x: 0, y: 0 };
        return;
      }
    }
    if (this.gesture) return;
    this.pane.upper.setPointerCapture(event.pointerId);
    const kind = this.kindOf(event);
    if (kind === "draw") {
      const erase = (event.buttons & ERASER_BUTTON) !== 0;
      this.pane.isCutting = cuts(event);
      this.pane.stroke = this.hands.begin(this.pane, this.pane.viewport.toImage(x, y), erase);
      if (!this.pane.stroke) return;
    }
    this.gesture = { kind, pointer: event.pointerId, x, y };
    this.pane.redraw();
  }

  /** @param {PointerEvent} event @returns {"draw" | "pan" | "window"} */
  kindOf(event) {
    if (event.button === 2) return "window";
    if (event.button === 1 || this.hands.isSpaceHeld) return "pan";
    return event.pointerType === "touch" && this.hasPen ? "pan" : "draw";
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { pane, gesture } = this;
    const { x, y } = this.place(event);
    if (event.pointerType !== "touch") pane.hover = pane.viewport.toImage(x, y);
    if (gesture?.kind === "pinch") {
      this.pinch(event.pointerId, x, y);
    } else if (gesture && gesture.pointer === event.pointerId) {
      if (gesture.kind === "draw") {
        pane.isCutting = cuts(event);
        const all = event.getCoalescedEvents?.() ?? [];
        for (const each of all.length ? all : [event]) {
          const at = this.place(each);
          pane.stroke?.move(pane.viewport.toImage(at.x, at.y));
        }
        pane.redraw();
      } else if (gesture.kind === "pan") {
        pane.viewport.pan(x - gesture.x, y - gesture.y);
        this.sight.moved(pane);
      } else {
        this.dragWindow(x - gesture.x, y - gesture.y);
      }
      gesture.x = x;
      gesture.y = y;
    }
    pane.redrawUpper();
  }

  /** @param {PointerEvent} event @param {boolean} isLost */
  up(event, isLost) {
    const { pane, gesture } = this;
    this.fingers.delete(event.pointerId);
    if (gesture?.kind === "pinch") {
      if (this.fingers.size === 0) this.gesture = null;
      return;
    }
    if (!gesture || gesture.pointer !== event.pointerId) return;
    this.gesture = null;
    if (gesture.kind !== "draw") return;
    // A stroke that the system takes away was still drawn; only a finger's is dropped, as it may have been a palm.
    if (isLost && event.pointerType === "touch") this.hands.cancel(pane);
    else this.hands.finish(pane, cuts(event));
  }

  leave() {
    this.pane.hover = null;
    this.pane.redrawUpper();
  }

  /** Drop the stroke under way. */
  drop() {
    if (this.gesture?.kind !== "draw") return;
    this.gesture = null;
    this.hands.cancel(this.pane);
  }

  /** @param {number} pointer @param {number} x @param {number} y */
  pinch(pointer, x, y) {
    const before = this.fingers.get(pointer);
    const other = [...this.fingers].find(([id]) => id !== pointer)?.[1];
    if (!before || !other) return;
    this.fingers.set(pointer, { x, y });
    const wasApart = Math.hypot(before.x - other.x, before.y - other.y);
    const isApart = Math.hypot(x - other.x, y - other.y);
    this.pane.viewport.pan((x - before.x) / 2, (y - before.y) / 2);
    if (wasApart > 0) this.pane.viewport.zoomAt((x + other.x) / 2, (y + other.y) / 2, isApart / wasApart);
    this.sight.moved(this.pane);
  }

  /** @param {number} dx @param {number} dy */
  dragWindow(dx, dy) {
    const { film } = this.pane;
    const values = 2 ** film.data.bits;
    const step = Math.max(film.window.width, values / 64) / 320;
    film.window = {
      name: "",
      center: Math.min(values, Math.max(0, film.window.center + dy * step)),
      width: Math.min(2 * values, Math.max(2, film.window.width + dx * step)),
    };
    this.sight.windowed(this.pane);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    // Browsers turn Shift and wheel into a sideways wheel.
    const turn = event.deltaY || event.deltaX;
    const pixels = turn * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 32 : 1);
    if (event.shiftKey) {
      this.sight.resizeBrush(pixels < 0 ? 1 : -1);
      return;
    }
    const { x, y } = this.place(event);
    // A pinch on a trackpad comes as a wheel with Ctrl and small steps.
    const turned = Math.max(-240, Math.min(240, event.ctrlKey ? 6 * pixels : pixels));
    this.pane.viewport.zoomAt(x, y, Math.exp(-turned / 480));
    this.pane.hover = this.pane.viewport.toImage(x, y);
    this.sight.moved(this.pane);
  }
}
