/**
 * Saving strokes: the whole mask of one finding on one film, as run lengths.
 *
 * @typedef {{draft: number, saved_at: string, area: number, branch: number, conflict: string | null}} Acknowledgement
 */

import { encodeRuns, runsToBytes } from "./masks.js";
import { keyOfMask } from "./offline.js";
import { SaveQueue } from "./queue.js";

const SAVE_MEASURE = "stroke-save";

/** The saves of one finding on one film. */
export class StrokeQueue extends SaveQueue {
  /** @param {import("./saving.js").Saver} saver @param {import("./layers.js").Layer} layer */
  constructor(saver, layer) {
    super(saver, "drawing");
    this.layer = layer;
  }

  keep() {
    const { layer, reader, key } = this;
    const { film, finding, suggestionId } = layer;
    const runs = encodeRuns(layer.pixels());
    const at = new Date().toISOString();
    this.saver.remember({ key, reader, imageId: film.id, sha: film.sha, finding, runs, suggestionId, at });
    return runs;
  }

  async send() {
    const { layer, saver } = this;
    const { film } = layer;
    const start = performance.now();
    const runs = this.keep();
    const query = new URLSearchParams({
      parent: String(layer.draftId ?? ""),
      base: String(layer.baseId ?? ""),
      suggestion: String(layer.suggestionId ?? ""),
    });
    const url = `${saver.routes.drafts}/${film.id}/${encodeURIComponent(layer.finding)}?${query}`;
    const acknowledgement = await saver.post(url, runsToBytes(runs), "application/octet-stream");
    // The newest save's time, from encoding to acknowledgement, for whoever watches the page's performance.
    performance.clearMeasures(SAVE_MEASURE);
    performance.measure(SAVE_MEASURE, { start, end: performance.now() });
    layer.draftId = acknowledgement.draft;
    layer.ownDrafts.add(acknowledgement.draft);
    saver.savedAt = new Date(acknowledgement.saved_at);
    if (acknowledgement.conflict && acknowledgement.conflict !== layer.conflict) {
      saver.onConflict(layer, acknowledgement.conflict);
    }
    layer.conflict = acknowledgement.conflict;
  }

  acknowledged() {
    if (!this.isBehind) this.saver.forget(this.key);
  }

  get key() {
    const { film, finding } = this.layer;
    return keyOfMask(this.reader, film.id, film.sha, finding);
  }
}
