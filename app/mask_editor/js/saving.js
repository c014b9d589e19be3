/**
 * All saves of this page, of strokes and of labels: one light tells of them, and all are safe before anything leaves.
 *
 * @typedef {{state: "idle" | "saving" | "saved" | "failed", at: Date | null, reason: string, behind: number, what: string}} SaveStatus
 *   what: the things that are behind, in words
 */

import { sentenceOf } from "./loading.js";
import { forgetUnsaved, keepUnsaved } from "./offline.js";
import { StrokeQueue } from "./strokes.js";

/** @typedef {import("./queue.js").SaveQueue} SaveQueue */

const PATIENCE_MS = 20000;
// Browsers refuse requests that may outlive the page beyond 64 KiB in all.
const OUTLIVING_BYTES = 60000;

export class Saver {
  constructor() {
    /** @type {import("./loading.js").Routes} */
    this.routes = { pixels: "", preview: "", masks: "", drafts: "", labels: "", maps: "" };
    this.token = "";
    this.reader = "";
    /** @type {Set<SaveQueue>} */
    this.queues = new Set();
    /** @type {Date | null} */
    this.savedAt = null;
    this.outliving = 0;
    /** @type {(status: SaveStatus) => void} */
    this.onStatus = () => {};
    /** @type {(thing: import("./layers.js").Layer | import("./labels.js").Label, sentence: string) => void} */
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
    layer.save ??= new StrokeQueue(this, layer);
    this.take(layer.save);
  }

  /** @param {SaveQueue} queue whose state has changed */
  take(queue) {
    this.queues.add(queue);
    queue.changed();
  }

  /** @returns {SaveQueue[]} */
  behind() {
    return [...this.queues].filter((queue) => queue.isBehind);
  }

  retryNow() {
    for (const queue of this.behind()) queue.pump();
  }

  /**
   * Wait until everything of this reader is acknowledged.
   * @returns {Promise<SaveQueue | null>} one that the server did not take, or null when all is saved
   */
  async settle() {
    const ours = () => this.behind().filter((queue) => queue.reader === this.reader);
    for (let behind = ours(); behind.length; behind = ours()) {
      for (const queue of behind) {
        if (!(await queue.pump())) return queue;
      }
    }
    return null;
  }

  /** @returns {SaveStatus} */
  status() {
    const behind = this.behind();
    const failed = behind.filter((queue) => queue.failure);
    const state = failed.length ? "failed" : behind.length ? "saving" : this.savedAt ? "saved" : "idle";
    return { state, at: this.savedAt, reason: failed[0]?.failure ?? "", behind: behind.length, what: inWords(behind) };
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

  /** @param {string} url @param {ArrayBuffer} body @param {string} type @returns {Promise<any>} what the server acknowledged */
  async post(url, body, type) {
    const outlives = this.outliving + body.byteLength <= OUTLIVING_BYTES;
    if (outlives) this.outliving += body.byteLength;
    const impatience = new AbortController();
    const timer = setTimeout(() => impatience.abort(), PATIENCE_MS);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": type, "X-Reading-Room-Token": this.token },
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

  /** Keep a copy in this browser until the server has it. @param {import("./offline.js").Unsaved} unsaved */
  remember(unsaved) {
    keepUnsaved(unsaved).catch((error) => console.warn("No copy could be kept in this browser.", error));
  }

  /** @param {string} key */
  forget(key) {
    forgetUnsaved(key).catch((error) => console.warn("A kept copy stays behind.", error));
  }
}

/** @param {SaveQueue[]} behind @returns {string} "One drawing", "2 drawings and one label" */
export function inWords(behind) {
  const told = ["drawing", "label"].map((thing) => {
    const count = behind.filter((queue) => queue.thing === thing).length;
    return count === 0 ? "" : count === 1 ? `one ${thing}` : `${count} ${thing}s`;
  });
  const words = told.filter(Boolean).join(" and ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {Response} response @returns {Promise<string>} */
async function refusal(response) {
  if (response.status === 403) {
    return "The server no longer takes anything from this page. Reload the page: what is unsaved is kept here and comes back.";
  }
  if (response.status === 507) return sentenceOf(response, "The server's disk is full. Make room on it; saving goes on by itself.");
  return sentenceOf(response, `The server could not save it (${response.status}).`);
}
