/**
 * The masks on a film: one layer for every finding, and the suggestions that wait for the reader's word.
 *
 * @typedef {object} LayerData a finding's mask as Python describes it
 * @property {string} finding @property {string} name @property {string} colour @property {boolean} editable
 * @property {string | null} mask_sha @property {number | null} draft_id @property {number | null} base_version_id
 * @property {number | null} suggestion_id
 *
 * @typedef {object} SuggestionData
 * @property {number} prediction_id @property {string} finding @property {string} name @property {string} colour
 * @property {string | null} mask_sha @property {string} model
 */

import { Outline } from "./contours.js";
import { changedRuns, History, toggle } from "./history.js";
import { areaIn, boundsOf, joinRects } from "./masks.js";

const UNDO_DEPTH = 100;

/** @param {LayerData} data @returns {string} equal when Python means the same mask */
export function describe(data) {
  return JSON.stringify([data.mask_sha, data.draft_id, data.base_version_id, data.suggestion_id]);
}

/** One finding's mask on one film. */
export class Layer {
  /** @param {import("./documents.js").FilmDocument} film @param {LayerData} data */
  constructor(film, data) {
    this.film = film;
    this.finding = data.finding;
    this.name = data.name;
    this.colour = data.colour;
    this.editable = data.editable;
    this.isShown = true;
    /** @type {"loading" | "ready" | "failed"} */
    this.state = "ready";
    this.failure = "";
    /** @type {Uint8Array | null} null while nothing was ever set */
    this.mask = null;
    /** @type {import("./masks.js").Rect | null} holds every set pixel, perhaps with room to spare */
    this.bounds = null;
    this.area = 0;
    this.outline = new Outline(film.width, film.height);
    this.history = new History(UNDO_DEPTH);
    this.maskSha = /** @type {string | null} */ (null);
    this.isBeingDrawn = false;
    /** What the server last said of another line of this drawing. @type {string | null} */
    this.conflict = null;
    this.draftId = data.draft_id;
    this.baseId = data.base_version_id;
    this.suggestionId = data.suggestion_id;
    /** Drafts that the server acknowledged to this page. @type {Set<number>} */
    this.ownDrafts = new Set();
    this.described = describe(data);
    this.save = /** @type {import("./queue.js").SaveQueue | null} */ (null);
    /** @type {Promise<void>} */
    this.loading = Promise.resolve();
  }

  /** Resolves when no mask is on its way any more, loaded or failed. */
  async whenLoaded() {
    for (let waiting = null; waiting !== this.loading; ) {
      waiting = this.loading;
      await waiting;
    }
  }

  get isLocked() {
    return !this.editable || this.state !== "ready";
  }

  /** @returns {Uint8Array} the mask, made when first needed */
  pixels() {
    this.mask ??= new Uint8Array(this.film.width * this.film.height);
    return this.mask;
  }

  /** The pixels inside `rect` were changed. @param {import("./masks.js").Rect} rect */
  touch(rect) {
    this.bounds = joinRects(this.bounds, rect);
    this.outline.touch(rect);
    this.film.overlay.touch(rect);
  }

  /** @param {Uint8Array} mask what the layer shows from now on, not undoable */
  load(mask) {
    if (this.bounds) this.touch(this.bounds);
    this.mask = mask;
    this.bounds = boundsOf(mask, this.film.width);
    this.area = this.bounds ? areaIn(mask, this.film.width, this.bounds) : 0;
    if (this.bounds) this.touch(this.bounds);
  }

  /**
   * Put a change on record for undo.
   * @param {Uint8Array} before the whole mask before it @param {import("./masks.js").Rect | null} rect
   * @param {number | null} [suggestionId] the prediction it now descends from
   * @returns {boolean} whether anything changed
   */
  commit(before, rect, suggestionId = this.suggestionId) {
    if (!rect) return false;
    const runs = changedRuns(before, this.pixels(), this.film.width, rect);
    if (!runs) return false;
    this.history.push({ rect, runs, from: this.suggestionId, to: suggestionId });
    this.suggestionId = suggestionId;
    this.area += areaIn(this.pixels(), this.film.width, rect) - areaIn(before, this.film.width, rect);
    return true;
  }

  /** Replace the whole mask as one undoable step. @param {Uint8Array} mask @param {number | null} [suggestionId] */
  replace(mask, suggestionId = this.suggestionId) {
    const before = this.pixels().slice();
    this.pixels().set(mask);
    const rect = joinRects(this.bounds, boundsOf(mask, this.film.width));
    if (rect) this.touch(rect);
    return this.commit(before, rect, suggestionId);
  }

  /** @param {"undo" | "redo"} way @returns {boolean} whether there was a step */
  step(way) {
    const step = this.history[way]();
    if (!step) return false;
    const before = areaIn(this.pixels(), this.film.width, step.rect);
    toggle(this.pixels(), this.film.width, step);
    this.area += areaIn(this.pixels(), this.film.width, step.rect) - before;
    this.touch(step.rect);
    this.suggestionId = way === "undo" ? step.from : step.to;
    return true;
  }
}

/** A model's mask that waits for the reader's word. */
export class Suggestion {
  /** @param {SuggestionData} data */
  constructor(data) {
    this.predictionId = data.prediction_id;
    this.finding = data.finding;
    this.name = data.name;
    this.colour = data.colour;
    this.model = data.model;
    this.maskSha = data.mask_sha;
    /** @type {Uint8Array | null} */
    this.mask = null;
    /** @type {Path2D | null} */
    this.outline = null;
    this.failure = "";
    /** @type {Promise<void>} settled when the mask is here, or has failed to come */
    this.loading = Promise.resolve();
    /** Sent to Python and not yet answered by new data. */
    this.isDecided = false;
  }
}
