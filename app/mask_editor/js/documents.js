/**
 * Films under the reader's hands: pixels, the mask of every finding, and what was undone. Documents outlive the screen
 * that shows them: a rerun, a remount or a look at another study loses neither strokes nor undo.
 *
 * @typedef {object} ImageData a film as Python describes it
 * @property {number} id @property {string} sha @property {number} width @property {number} height
 * @property {number} bits @property {string} view @property {boolean} is_frontal
 * @property {{name: string, center: number, width: number} | null} window
 * @property {{name: string, center: number, width: number}[]} presets
 * @property {number | null} pixel_spacing_mm
 * @property {import("./layers.js").LayerData[]} layers @property {import("./layers.js").SuggestionData[]} suggestions
 * @property {import("./heat.js").MapData[]} maps
 */

import { Outline, traceLoops } from "./contours.js";
import { loadMap } from "./heat.js";
import { describe, Layer, Suggestion } from "./layers.js";
import { loadMask, loadPixels, loadPreview } from "./loading.js";
import { boundsOf } from "./masks.js";
import { Overlay } from "./overlay.js";
import { Film, windowsFromHistogram } from "./windowing.js";

const AWAKE_DOCUMENTS = 6;
const KEPT_DOCUMENTS = 24;

/** One film with everything drawn on it. */
export class FilmDocument {
  /** @param {ImageData} data */
  constructor(data) {
    this.id = data.id;
    this.sha = data.sha;
    this.width = data.width;
    this.height = data.height;
    this.data = data;
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {Suggestion[]} */
    this.suggestions = [];
    this.overlay = new Overlay(data.width, data.height);
    /** Maps of where the model looked, by content hash, as far as they were asked for. @type {Map<string, HTMLCanvasElement>} */
    this.maps = new Map();
    /** @type {Film | null} */
    this.film = null;
    /** @type {ImageBitmap | null} */
    this.preview = null;
    this.failure = "";
    /** @type {import("./windowing.js").GreyWindow[]} */
    this.windows = [];
    /** @type {import("./windowing.js").GreyWindow} */
    this.window = data.window ?? { name: "Default", center: 2 ** (data.bits - 1), width: 2 ** data.bits };
    this.isLoading = false;
    /** Whether the reader's preset was applied. */
    this.isWindowed = false;
    /** @type {import("./viewport.js").ZoomMode | null} */
    this.zoomMode = null;
  }

  /** @param {string | null} finding @returns {Layer | null} */
  layer(finding) {
    return this.layers.find((layer) => layer.finding === finding) ?? null;
  }

  /** @returns {Suggestion[]} those that the reader has neither taken over nor answered */
  openSuggestions() {
    return this.suggestions.filter((each) => !each.isDecided && this.layer(each.finding)?.suggestionId !== each.predictionId);
  }

  get isUnsaved() {
    return this.layers.some((layer) => layer.save?.isBehind);
  }

  /**
   * Bring pixels to the screen: the 8-bit preview at once, the stored bits as soon as they are here.
   * @param {import("./loading.js").Routes} routes @param {() => void} changed called whenever there is more to show
   */
  async loadFilm(routes, changed) {
    if (this.film || this.isLoading) return;
    this.isLoading = true;
    this.failure = "";
    const stored = loadPixels(routes, this.sha);
    loadPreview(routes, this.sha).then(
      (preview) => {
        if (this.film) return;
        this.preview = preview;
        changed();
      },
      () => {
        // The stored pixels are on their way; if they fail too, that is told below.
      },
    );
    try {
      const { width, height, bits, pixels } = await stored;
      if (width !== this.width || height !== this.height) {
        throw new Error(`The film is ${width} x ${height} pixels but the study says ${this.width} x ${this.height}.`);
      }
      this.film = new Film(width, height, bits, pixels);
      const own = this.data.window ? [{ ...this.data.window }] : [];
      this.windows = [...own, ...this.data.presets, ...windowsFromHistogram(pixels, this.film.values)].slice(0, 9);
      if (!this.data.window && !this.isWindowed) this.window = this.windows[0];
      this.preview = null;
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.isLoading = false;
    }
    changed();
  }

  /** @param {string} finding @returns {HTMLCanvasElement | null} where the model looked for it, once that is here */
  heat(finding) {
    const described = this.data.maps.find((map) => map.finding === finding);
    return (described && this.maps.get(described.sha)) ?? null;
  }

  /** Fetch the map of a finding. @param {string} finding @param {import("./loading.js").Routes} routes */
  async loadHeat(finding, routes) {
    const described = this.data.maps.find((map) => map.finding === finding);
    const layer = this.layer(finding);
    if (!described || !layer || this.maps.has(described.sha)) return;
    this.maps.set(described.sha, await loadMap(routes, described.sha, layer.colour));
  }

  /** Give back the memory that can be made again: all but masks and undo. */
  rest() {
    this.maps.clear();
    this.film = null;
    this.preview = null;
    this.overlay = new Overlay(this.width, this.height);
    for (const layer of this.layers) {
      layer.outline = new Outline(this.width, this.height);
      if (layer.bounds) this.overlay.touch(layer.bounds);
    }
  }

  /**
   * Take what Python says of this film's findings, without disturbing what is being drawn: only a mask that came from
   * elsewhere (another tab, an accepted suggestion) replaces the one here, as a step that can be undone.
   * @param {ImageData} data @param {import("./loading.js").Routes} routes @param {() => void} changed
   */
  adopt(data, routes, changed) {
    this.data = data;
    for (const described of data.layers) {
      const present = this.layer(described.finding);
      if (present) {
        present.name = described.name;
        present.colour = described.colour;
        present.editable = described.editable;
        this.adoptMask(present, described, routes, changed);
      } else {
        const layer = new Layer(this, described);
        this.layers.push(layer);
        this.fetchMask(layer, described.mask_sha, routes, changed);
      }
    }
    const named = new Map(data.layers.map((described, i) => [described.finding, i]));
    // A finding that Python no longer lists goes, unless the reader's strokes on it are still on their way.
    this.layers = this.layers
      .filter((layer) => named.has(layer.finding) || layer.save?.isBehind || layer.ownDrafts.size > 0)
      .sort((a, b) => (named.get(a.finding) ?? Infinity) - (named.get(b.finding) ?? Infinity));
    this.suggestions = data.suggestions.map((described) => {
      const present = this.suggestions.find((s) => s.predictionId === described.prediction_id);
      if (present && present.maskSha === described.mask_sha) return present;
      const suggestion = new Suggestion(described);
      suggestion.loading = this.fetchSuggestion(suggestion, routes, changed);
      return suggestion;
    });
  }

  /**
   * @param {Layer} layer @param {import("./layers.js").LayerData} described
   * @param {import("./loading.js").Routes} routes @param {() => void} changed
   */
  adoptMask(layer, described, routes, changed) {
    if (describe(described) === layer.described) return;
    layer.described = describe(described);
    // Python may have looked before the newest stroke arrived; then what is on the screen is newer.
    const isOurs = described.draft_id !== null && layer.ownDrafts.has(described.draft_id);
    if (isOurs) layer.baseId = described.base_version_id;
    if (isOurs || layer.isBeingDrawn || layer.save?.isBehind) return;
    layer.draftId = described.draft_id;
    layer.baseId = described.base_version_id;
    this.fetchMask(layer, described.mask_sha, routes, changed, described.suggestion_id);
  }

  /**
   * @param {Layer} layer @param {string | null} sha @param {import("./loading.js").Routes} routes
   * @param {() => void} changed @param {number | null} [suggestionId] given when the mask replaces another
   */
  fetchMask(layer, sha, routes, changed, suggestionId) {
    layer.loading = this.loadInto(layer, sha, routes, changed, suggestionId);
  }

  /**
   * @param {Layer} layer @param {string | null} sha @param {import("./loading.js").Routes} routes
   * @param {() => void} changed @param {number | null} [suggestionId]
   */
  async loadInto(layer, sha, routes, changed, suggestionId) {
    layer.maskSha = sha;
    const isReplaced = suggestionId !== undefined;
    if (!sha) {
      layer.state = "ready";
      if (isReplaced) layer.replace(new Uint8Array(this.width * this.height), suggestionId);
      return;
    }
    layer.state = "loading";
    try {
      const mask = await loadMask(routes, sha, this.width, this.height);
      if (layer.maskSha !== sha) return;
      if (isReplaced) layer.replace(mask, suggestionId);
      else layer.load(mask);
      layer.state = "ready";
    } catch (error) {
      layer.state = "failed";
      layer.failure = error instanceof Error ? error.message : String(error);
    }
    changed();
  }

  /** Fetch again what could not be fetched. @param {import("./loading.js").Routes} routes @param {() => void} changed */
  retry(routes, changed) {
    if (this.failure) this.loadFilm(routes, changed);
    for (const layer of this.layers) {
      if (layer.state === "failed") this.fetchMask(layer, layer.maskSha, routes, changed);
    }
  }

  /** @param {Suggestion} suggestion @param {import("./loading.js").Routes} routes @param {() => void} changed */
  async fetchSuggestion(suggestion, routes, changed) {
    if (!suggestion.maskSha) return;
    try {
      const mask = await loadMask(routes, suggestion.maskSha, this.width, this.height);
      const bounds = boundsOf(mask, this.width);
      suggestion.mask = mask;
      suggestion.outline = bounds ? traceLoops(mask, this.width, this.height, bounds) : null;
    } catch (error) {
      suggestion.failure = error instanceof Error ? error.message : String(error);
    }
    changed();
  }
}

/** The documents that this page keeps, the least recently used first. */
export class Documents {
  constructor() {
    /** @type {Map<string, FilmDocument>} */
    this.open = new Map();
  }

  /**
   * @param {string} reader @param {ImageData} data @param {import("./loading.js").Routes} routes
   * @param {() => void} changed @returns {FilmDocument}
   */
  take(reader, data, routes, changed) {
    const key = JSON.stringify([reader, data.id, data.sha]);
    const film = this.open.get(key) ?? new FilmDocument(data);
    this.open.delete(key);
    this.open.set(key, film);
    film.adopt(data, routes, changed);
    film.loadFilm(routes, changed);
    return film;
  }

  /**
   * Let films that were not shown of late rest without pixels, and let go of the oldest that owe the server nothing.
   * Those that are shown are always among the newest.
   */
  forget() {
    const oldestFirst = [...this.open];
    oldestFirst.slice(0, -AWAKE_DOCUMENTS).forEach(([, film]) => film.rest());
    for (const [key, film] of oldestFirst.slice(0, -KEPT_DOCUMENTS)) {
      if (!film.isUnsaved) this.open.delete(key);
    }
  }
}
