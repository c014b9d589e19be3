/** What the reader's hand does to a mask: from the pointer down to the save. */

import { keyboard } from "./workspace.js";
import { BrushStroke, fillHoles, FillStroke, LassoStroke } from "./tools.js";

/**
 * @typedef {import("./pane.js").Pane} Pane
 * @typedef {import("./layers.js").Layer} Layer
 */

export class Hands {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
  }

  get isSpaceHeld() {
    return keyboard.isHeld("pan");
  }

  /** @param {Pane} pane @param {import("./masks.js").Point} point @param {boolean} erase */
  begin(pane, point, erase) {
    const { editor } = this;
    const { look } = editor;
    const layer = pane.film.layer(look.finding);
    const why = layer ? this.whyNot(layer) : "Pick or add a finding first.";
    if (why || !layer) {
      editor.hint(why);
      return null;
    }
    layer.isBeingDrawn = true;
    if (!layer.isShown) editor.toggleFinding(layer.finding);
    const tool = erase ? "erase" : look.tool;
    if (tool === "lasso") return new LassoStroke(layer, point);
    if (tool === "fill") return new FillStroke(layer, point);
    return new BrushStroke(layer, point, look.brush, tool === "erase" ? 0 : 1);
  }

  /** @param {Pane} pane @param {boolean} cut */
  finish(pane, cut) {
    const { stroke } = pane;
    if (!stroke) return;
    pane.stroke = null;
    stroke.layer.isBeingDrawn = false;
    const { changed, says } = stroke.end(cut);
    if (changed) this.editor.saver.changed(stroke.layer);
    this.editor.hint(says);
    pane.redraw();
    this.editor.refresh();
  }

  /** @param {Pane} pane */
  cancel(pane) {
    const { stroke } = pane;
    if (!stroke) return;
    pane.stroke = null;
    stroke.layer.isBeingDrawn = false;
    stroke.cancel();
    pane.redraw();
  }

  /**
   * Take back, or do again, what was done last: a stroke on the finding in hand, or a word on any finding.
   * @param {"undo" | "redo"} way
   */
  step(way) {
    const { editor } = this;
    const layer = editor.layer();
    const last = way === "undo" ? "done" : "undone";
    const drawn = layer?.history[last].at(-1)?.at;
    const said = editor.labels?.[last].at(-1)?.at;
    const isWord = said !== undefined && (drawn === undefined || (way === "undo" ? said > drawn : said < drawn));
    if (isWord) {
      editor.labels?.[way]();
      editor.refresh();
      return;
    }
    if (!layer || this.whyNot(layer) || !layer.step(way)) return;
    editor.saver.changed(layer);
    editor.redraw();
  }

  fillAll() {
    const { editor } = this;
    const layer = editor.layer();
    const why = layer ? this.whyNot(layer) : "Pick a finding first.";
    if (why || !layer) return editor.hint(why);
    if (!fillHoles(layer)) return editor.hint(`${layer.name} has no holes.`);
    editor.saver.changed(layer);
    editor.redraw();
  }

  /** @param {Layer} layer @returns {string} why it cannot be drawn on, or "" */
  whyNot(layer) {
    if (this.editor.data?.read_only) return "This study is open for reading only.";
    if (!layer.editable) return `${layer.name} is shown for reading only.`;
    if (layer.state === "loading") return `${layer.name} is still loading.`;
    if (layer.state === "failed") return `${layer.name} could not be loaded, so it is not drawn on. Try again first.`;
    return "";
  }
}
