/**
 * Saving strokes. Every finding has its own queue: one save under way at a time, and after it only the newest state.
 * A save counts when the server has acknowledged it, never before.
 *
 * @typedef {{draft: number, saved_at: string, area: number, branch: number, conflict: string | null}} Acknowledgement
 * @typedef {{state: "idle" | "saving" | "saved" | "failed", at: Date | null, reason: string, behind: number}} SaveStatus
 */

import { sentenceOf } from "./loading.js";
import { encodeRuns, runsToBytes } from "./masks.js";
import { forgetUnsaved, keepUnsaved } from "./offline.js";

const SAVE_MEASURE = "stroke-save";
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 20000;
const PATIENCE_MS = 20000;
// Browsers refuse requests that may outlive the page beyond 64 KiB in all.
const OUTLIVING_BYTES = 60000;

/** The saves of one finding on one film. */
export class SaveQueue {
  /** @param {Saver} saver @param {import("./layers.js").Layer} layer */
  constructor(saver, layer) {
    this.saver = saver;
    this.layer = layer;
    this.reader = saver.reader;
    this.revision = 0;
    this.saved = 0;
    this.failures = 0;
    this.failure = "";
    /** @type {Promise<boolean> | null} */
    this.running = null;
    this.timer = 0;
  }

  get isBehind() {
    return this.revision > this.saved;
  }

  /** The mask has changed. */
  changed() {
    this.revision++;
    this.pump();
  }

  /** Save until nothing is left to save. @returns {Promise<boolean>} false when the server did not take it */
  pump() {
    clearTimeout(this.timer);
    this.running ??= this.run().finally(() => {
      this.running = null;
      this.saver.tell();
    });
    this.saver.tell();
    return this.running;
  }

  async run() {
    while (this.isBehind) {
      try {
        await this.send();
        this.failures = 0;
        this.failure = "";
      } catch (error) {
        this.failure = error instanceof Error ? error.message : String(error);
        this.failures++;
        const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
        this.timer = setTimeout(() => this.pump(), wait);
        return false;
      }
      this.saver.tell();
    }
    return true;
  }

  async send() {
    const { layer, saver, revision } = this;
    const { film } = layer;
    const start = performance.now();
    const runs = encodeRuns(layer.pixels());
    const at = new Date().toISOString();
    saver.remember({
      reader: this.reader,
      imageId: film.id,
      sha: film.sha,
      finding: layer.finding,
      runs,
      suggestionId: layer.suggestionId,
      at,
    });
    const query = new URLSearchParams({
      parent: String(layer.draftId ?? ""),
      base: String(layer.baseId ?? ""),
      suggestion: String(layer.suggestionId ?? ""),
    });
    const url = `${saver.routes.drafts}/${film.id}/${encodeURIComponent(layer.finding)}?${query}`;
    const acknowledgement = await saver.post(url, runsToBytes(runs));
    // The newest save's time, from encoding to acknowledgement, for whoever watches the page's performance.
    performance.clearMeasures(SAVE_MEASURE);
    performance.measure(SAVE_MEASURE, { start, end: performance.now() });
    this.saved = revision;
    layer.draftId = acknowledgement.draft;
    layer.ownDrafts.add(acknowledgement.draft);
    saver.savedAt = new Date(acknowledgement.saved_at);
    if (!this.isBehind) saver.forget(this.reader, film.id, film.sha, layer.finding);
    if (acknowledgement.conflict && acknowledgement.conflict !== layer.conflict) {
      saver.onConflict(layer, acknowledgement.conflict);
    }
    layer.conflict = acknowledgement.conflict;
  }
}

/** All saves of this page. */
export class Saver {
  constructor() {
    /** @type {import("./loading.js").Routes} */
    this.routes = { pixels: "", preview: "", masks: "", drafts: "" };
    this.token = "";
    this.reader = "";
    /** @type {Set<SaveQueue>} */
    this.queues = new Set();
    /** @type {Date | null} */
    this.savedAt = null;
    this.outliving = 0;
    /** @type {(status: SaveStatus) => void} */
    this.onStatus = () => {};
    /** @type {(layer: import("./layers.js").Layer, sentence: string) => void} */
    this.onConflict = () => {};
    this.warnOnLeave = this.warnOnLeave.bind(this);
    addEventListener("online", () => this.retryNow());
  }

  /** @param {string} reader @param {string} token @param {import("./loading.js").Routes} routes */
  configure(reader, token, routes) {
    const isNewToken = token !== this.token;
    this.reader = reader;
    this.token = token;
    this.routes = routes;
    if (isNewToken) this.retryNow();
  }

  /** @param {import("./layers.js").Layer} layer whose mask has changed */
  changed(layer) {
    layer.save ??= new SaveQueue(this, layer);
    this.queues.add(layer.save);
    layer.save.changed();
  }

  /** @returns {SaveQueue[]} */
  behind() {
    return [...this.queues].filter((queue) => queue.isBehind);
  }

  retryNow() {
    for (const queue of this.behind()) queue.pump();
  }

  /** Wait until everything is acknowledged. @returns {Promise<string | null>} why not, or null when all is saved */
  async settle() {
    for (let behind = this.behind(); behind.length; behind = this.behind()) {
      for (const queue of behind) {
        if (!(await queue.pump())) return queue.failure;
      }
    }
    return null;
  }

  /** @returns {SaveStatus} */
  status() {
    const behind = this.behind();
    const failed = behind.filter((queue) => queue.failure);
    const state = failed.length ? "failed" : behind.length ? "saving" : this.savedAt ? "saved" : "idle";
    return { state, at: this.savedAt, reason: failed[0]?.failure ?? "", behind: behind.length };
  }

  tell() {
    const isBehind = this.behind().length > 0;
    if (isBehind) addEventListener("beforeunload", this.warnOnLeave);
    else removeEventListener("beforeunload", this.warnOnLeave);
    this.onStatus(this.status());
  }

  /** @param {BeforeUnloadEvent} event */
  warnOnLeave(event) {
    event.preventDefault();
  }

  /** @param {string} url @param {ArrayBuffer} body @returns {Promise<Acknowledgement>} */
  async post(url, body) {
    const outlives = this.outliving + body.byteLength <= OUTLIVING_BYTES;
    if (outlives) this.outliving += body.byteLength;
    const impatience = new AbortController();
    const timer = setTimeout(() => impatience.abort(), PATIENCE_MS);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream", "X-Reading-Room-Token": this.token },
        body,
        keepalive: outlives,
        signal: impatience.signal,
      });
      if (!response.ok) throw new Error(await refusal(response));
      return await response.json();
    } catch (error) {
      if (error instanceof TypeError) throw new Error("The server does not answer.");
      if (impatience.signal.aborted) throw new Error("The server did not answer in time.");
      throw error;
    } finally {
      clearTimeout(timer);
      if (outlives) this.outliving -= body.byteLength;
    }
  }

  /** @param {Omit<import("./offline.js").UnsavedMask, "key">} mask */
  remember(mask) {
    keepUnsaved(mask).catch((error) => console.warn("No copy of the drawing could be kept in this browser.", error));
  }

  /** @param {string} reader @param {number} imageId @param {string} sha @param {string} finding */
  forget(reader, imageId, sha, finding) {
    forgetUnsaved(reader, imageId, sha, finding).catch((error) => console.warn("A kept copy stays behind.", error));
  }
}

/** @param {Response} response @returns {Promise<string>} */
async function refusal(response) {
  if (response.status === 403) {
    return "The server no longer takes drawings from this page. Reload the page: yours is kept and will be offered back.";
  }
  if (response.status === 507) return sentenceOf(response, "The server's disk is full. Make room on it; saving goes on by itself.");
  return sentenceOf(response, `The server could not save the drawing (${response.status}).`);
}
