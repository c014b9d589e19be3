/** How the film is looked at: zoom, window, and the size of the brush on it. */

import { LARGEST_BRUSH } from "./toolbar.js";

export class Sight {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    /** The window that the reader chose by name; it goes along to the next film. */
    this.presetName = "";
  }

  fit() {
    const { pane } = this.editor;
    if (!pane) return;
    pane.viewport.fit();
    this.moved(pane);
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const { pane } = this.editor;
    if (!pane) return;
    const { viewport, hover } = pane;
    const x = hover ? hover.x * viewport.scale + viewport.offsetX : viewport.width / 2;
    const y = hover ? hover.y * viewport.scale + viewport.offsetY : viewport.height / 2;
    viewport.zoomAt(x, y, factor);
    this.moved(pane);
  }

  actualSize() {
    const { pane } = this.editor;
    if (!pane) return;
    const { viewport } = pane;
    viewport.zoomAt(viewport.width / 2, viewport.height / 2, 1 / (devicePixelRatio || 1) / viewport.scale);
    this.moved(pane);
  }

  /** @param {import("./pane.js").Pane} pane whose film was moved or zoomed */
  moved(pane) {
    pane.redraw();
  }

  /** @param {import("./pane.js").Pane} pane whose window was dragged */
  windowed(pane) {
    this.presetName = "";
    this.editor.refresh();
    pane.applyWindow();
  }

  /** @param {number} index */
  usePreset(index) {
    const { pane } = this.editor;
    const preset = pane?.film.windows[index];
    if (!pane || !preset) return;
    this.presetName = preset.name;
    pane.film.window = { ...preset };
    pane.applyWindow();
    this.editor.refresh();
  }

  /** Bring the reader's preset to a film that has just opened. @param {import("./documents.js").FilmDocument} film */
  bringPreset(film) {
    if (film.isWindowed || !film.film) return;
    film.isWindowed = true;
    const preset = film.windows.find((each) => each.name === this.presetName);
    if (preset) film.window = { ...preset };
  }

  /** Lay the model's map of a finding over the film, or take it away. @param {string | null} finding */
  async showMap(finding) {
    const { editor } = this;
    editor.setLook({ map: finding });
    if (!finding || !editor.data) return;
    const { routes } = editor.data;
    try {
      await Promise.all(editor.panes.map((pane) => pane.film.loadHeat(finding, routes)));
    } catch (error) {
      editor.hint(error instanceof Error ? error.message : String(error));
    }
    editor.redraw();
  }

  /** The map of the finding in hand, as long as its key is held. */
  showMapInHand() {
    const { editor } = this;
    const { finding } = editor.look;
    const hasMap = editor.panes.some((pane) => pane.film.data.maps.some((map) => map.finding === finding));
    if (!hasMap) return editor.hint("No model has left a map of this finding on this film.");
    this.showMap(finding);
  }

  /** @param {number} diameter */
  setBrush(diameter) {
    this.editor.setLook({ brush: Math.min(LARGEST_BRUSH, Math.max(1, Math.round(diameter))) });
  }

  /** @param {number} steps */
  resizeBrush(steps) {
    const { brush } = this.editor.look;
    this.setBrush(brush + Math.sign(steps) * Math.max(1, Math.round(brush * 0.15)));
  }
}
