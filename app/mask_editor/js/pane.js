/** One film on the screen: two canvases, the lower for what is on the film, the upper for what follows the pointer. */

import { make } from "./make.js";
import { Viewport } from "./viewport.js";

/**
 * @typedef {object} Look how everything is shown; shared by all panes
 * @property {number} opacity 0..1 @property {boolean} outlineOnly @property {boolean} hidden
 * @property {boolean} inverted @property {number} brush diameter in film pixels
 * @property {"brush" | "erase" | "lasso" | "fill"} tool @property {string | null} finding the one being drawn
 * @property {string | null} map the finding for which the model's map lies over the film
 */

export class Pane {
  /**
   * @param {import("./documents.js").FilmDocument} film @param {Look} look
   * @param {import("./viewport.js").ZoomMode | null} mode to open with; null is the whole film
   */
  constructor(film, look, mode) {
    this.film = film;
    this.look = look;
    this.opensWith = mode;
    this.viewport = new Viewport(film.width, film.height);
    this.lower = make("canvas", { class: "lower" });
    this.upper = make("canvas", {
      class: "upper",
      tabindex: 0,
      role: "application",
      testid: "editor-film",
      "aria-label": `${film.data.view} film, ${film.width} by ${film.height} pixels. Draw with the pointer; press ? for the keys.`,
    });
    this.caption = make("div", { class: "caption", text: film.data.view });
    this.corner = make("div", { class: "corner", testid: "editor-readings" });
    this.element = make("div", { class: "pane", testid: "editor-pane" }, [
      this.lower,
      this.upper,
      this.caption,
      this.corner,
    ]);
    /** @type {import("./masks.js").Point | null} where the pointer hovers, in image pixels */
    this.hover = null;
    /** @type {import("./tools.js").Stroke | null} */
    this.stroke = null;
    this.isCutting = false;
    this.frame = 0;
    this.isFilmStale = true;
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(this.element);
    this.applyWindow();
  }

  measure() {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth || !clientHeight) return;
    this.viewport.resize(clientWidth, clientHeight, this.opensWith ?? undefined);
    this.opensWith = null;
    const density = devicePixelRatio || 1;
    for (const canvas of [this.lower, this.upper]) {
      canvas.width = Math.round(clientWidth * density);
      canvas.height = Math.round(clientHeight * density);
    }
    this.isFilmStale = true;
    this.paint();
  }

  /** The window or the inversion changed. */
  applyWindow() {
    const { film, window } = this.film;
    film?.setWindow(window.center, window.width, this.look.inverted);
    this.redraw();
  }

  /** Draw the film again with the next frame. */
  redraw() {
    this.isFilmStale = true;
    this.redrawUpper();
  }

  /** Draw what follows the pointer again with the next frame. */
  redrawUpper() {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.isFilmStale || this.lower.width === 0) this.paintLower();
    this.paintUpper();
    const { scale, offsetX, offsetY } = this.viewport;
    this.film.zoomMode = this.viewport.mode();
    const { center, width } = this.film.window;
    const zoom = Math.round(scale * (devicePixelRatio || 1) * 100);
    this.corner.textContent = `${zoom} %\nW ${Math.round(width)}\nL ${Math.round(center)}`;
    this.element.dataset.view = `${scale} ${offsetX} ${offsetY}`;
  }

  paintLower() {
    const { film, look, viewport } = this;
    const context = /** @type {CanvasRenderingContext2D} */ (this.lower.getContext("2d", { alpha: false }));
    const density = this.lower.width / viewport.width;
    this.isFilmStale = false;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#05070a";
    context.fillRect(0, 0, this.lower.width, this.lower.height);
    const scale = viewport.scale * density;
    context.setTransform(scale, 0, 0, scale, viewport.offsetX * density, viewport.offsetY * density);
    const shown = viewport.shown();
    if (film.film) {
      film.film.draw(context, shown, scale);
    } else if (film.preview) {
      context.filter = look.inverted ? "invert(1)" : "none";
      context.drawImage(film.preview, 0, 0, film.width, film.height);
      context.filter = "none";
    }
    this.element.dataset.image = String(film.data.id);
    this.element.dataset.film = film.film ? "stored" : film.preview ? "preview" : "none";
    this.element.dataset.map = "";
    if (look.hidden) return;
    if (look.map) this.paintMap(context, look.map);
    const layers = this.layersByHeight();
    if (!look.outlineOnly) film.overlay.draw(context, layers, look.opacity, scale);
    context.lineCap = "square";
    for (const layer of layers) {
      if (!layer.mask || !layer.bounds) continue;
      const isActive = layer.finding === look.finding;
      context.strokeStyle = layer.colour;
      context.lineWidth = ((isActive ? 1.6 : 1) * density) / scale;
      context.globalAlpha = isActive ? 1 : 0.75;
      layer.outline.stroke(context, layer.mask, shown, layer.bounds);
    }
    context.globalAlpha = 1;
    for (const suggestion of film.openSuggestions()) {
      if (!suggestion.outline) continue;
      context.lineWidth = (1.5 * density) / scale;
      context.setLineDash([(7 * density) / scale, (5 * density) / scale]);
      context.strokeStyle = suggestion.colour;
      context.stroke(suggestion.outline);
      context.setLineDash([]);
    }
  }

  /** Where the model looked. @param {CanvasRenderingContext2D} context @param {string} finding */
  paintMap(context, finding) {
    const { film } = this;
    const map = film.heat(finding);
    if (!map) return;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(map, 0, 0, film.width, film.height);
    this.element.dataset.map = finding;
  }

  paintUpper() {
    const { look, viewport, film } = this;
    const context = /** @type {CanvasRenderingContext2D} */ (this.upper.getContext("2d"));
    const density = this.upper.width / viewport.width;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    if (film.data.is_frontal && (film.film || film.preview)) this.paintSides(context);
    const path = this.stroke?.path;
    if (path) this.paintLasso(context, path);
    const drawsRound = look.tool === "brush" || look.tool === "erase";
    if (this.hover && drawsRound && !look.hidden) {
      const x = this.hover.x * viewport.scale + viewport.offsetX;
      const y = this.hover.y * viewport.scale + viewport.offsetY;
      const radius = Math.max(1.5, (look.brush / 2) * viewport.scale);
      context.lineWidth = 3;
      context.strokeStyle = "rgba(5, 7, 10, 0.55)";
      ring(context, x, y, radius);
      context.lineWidth = 1.2;
      context.strokeStyle = look.tool === "erase" ? "#e6e9ee" : film.layer(look.finding)?.colour ?? "#e6e9ee";
      ring(context, x, y, radius);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./masks.js").Point[]} path */
  paintLasso(context, path) {
    const { scale, offsetX, offsetY } = this.viewport;
    context.beginPath();
    for (const point of path) context.lineTo(point.x * scale + offsetX, point.y * scale + offsetY);
    context.closePath();
    context.fillStyle = this.isCutting ? "rgba(230, 233, 238, 0.08)" : "rgba(127, 166, 201, 0.16)";
    context.fill();
    context.lineWidth = 1.4;
    context.strokeStyle = this.isCutting ? "#e6e9ee" : "#9dbdd8";
    context.setLineDash(this.isCutting ? [4, 4] : []);
    context.stroke();
    context.setLineDash([]);
  }

  /** The patient's right is on the left of a frontal film. @param {CanvasRenderingContext2D} context */
  paintSides(context) {
    const { scale, offsetX, offsetY, width, imageWidth } = this.viewport;
    const left = Math.max(0, offsetX) + 14;
    const right = Math.min(width, offsetX + imageWidth * scale) - 14;
    const top = Math.max(0, offsetY) + 12;
    context.font = "600 17px system-ui, sans-serif";
    context.textBaseline = "top";
    context.lineWidth = 3;
    context.strokeStyle = "rgba(5, 7, 10, 0.7)";
    context.fillStyle = "rgba(230, 233, 238, 0.82)";
    for (const [mark, x, align] of /** @type {[string, number, CanvasTextAlign][]} */ ([
      ["R", left, "left"],
      ["L", right, "right"],
    ])) {
      context.textAlign = align;
      context.strokeText(mark, x, top);
      context.fillText(mark, x, top);
    }
  }

  /** @returns {import("./layers.js").Layer[]} shown findings, the one being drawn last */
  layersByHeight() {
    const shown = this.film.layers.filter((layer) => layer.isShown && layer.bounds);
    const active = shown.filter((layer) => layer.finding === this.look.finding);
    return [...shown.filter((layer) => !active.includes(layer)), ...active];
  }

  remove() {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.element.remove();
  }
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} radius */
function ring(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}
