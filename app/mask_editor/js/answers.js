/** What the reader answers: suggestions taken, corrected or turned down, the study submitted, the next one called. */

/** @typedef {import("./layers.js").Suggestion} Suggestion */

import { Layer } from "./layers.js";

const AGAIN_MS = 3000;
const LONGEST_MS = 12000;
const ANSWERED_MS = 6000;

export class Answers {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    this.isSending = false;
    /** The action that was sent last; Python names it when it has acted on it. */
    this.sent = "";
    /** What the reader asked for while the last action was under way. @type {(() => void) | null} */
    this.waiting = null;
  }

  /** A new study is open. */
  forget() {
    this.sent = "";
    this.isSending = false;
    this.waiting = null;
    this.editor.suggestion.ask([]);
  }

  /** Python has drawn again. @param {string} heard the last action it acted on */
  hear(heard) {
    if (this.sent && heard === this.sent) this.free();
  }

  /** The last action is done with: go on to what the reader asked for meanwhile. */
  free() {
    const next = this.waiting;
    this.sent = "";
    this.isSending = false;
    this.waiting = null;
    next?.();
  }

  /** @returns {Suggestion | null} the one that A, T and X speak of: the finding in hand's, or else the first */
  current() {
    const { data, pane, look } = this.editor;
    if (!data || data.read_only) return null;
    const open = pane?.film.openSuggestions() ?? [];
    return open.find((each) => each.finding === look.finding) ?? open[0] ?? null;
  }

  /**
   * Tell Python, after every stroke is safe.
   * @param {string} kind @param {{prediction_id?: number, reason?: string, orientation?: string}} [details]
   * @returns {Promise<boolean>} whether it was sent
   */
  async send(kind, details = {}) {
    const { editor } = this;
    if (this.isSending) {
      // Enter and then N in one breath: Streamlit would drop the first of two actions that meet.
      if (kind === "next" || kind === "previous") this.waiting = () => this.send(kind, details);
      return false;
    }
    this.isSending = true;
    const { data, pane } = editor;
    const unsaved = await editor.saver.settle();
    if (unsaved !== null) {
      this.isSending = false;
      this.waiting = null;
      const { thing, failure } = unsaved;
      editor.notices.show("send", `${sentenceFor(kind)} A ${thing} is not saved yet: ${failure} It is kept here and sent again.`);
      return false;
    }
    editor.notices.dismiss("send");
    const id = `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;
    this.sent = id;
    const about = { study_id: data?.study_id, image_id: pane?.film.id ?? null, finding: editor.look.finding };
    this.deliver({ kind, ...about, prediction_id: null, reason: "", orientation: "", ...details, id }, AGAIN_MS);
    return true;
  }

  /**
   * Streamlit drops a trigger that meets another interaction, so an action is told until Python says that it has acted
   * on it, which it does once for every id. Should it never say so, the reader may ask again.
   * @param {{id: string}} action @param {number} wait ms
   */
  deliver(action, wait) {
    this.editor.streamlit?.setTriggerValue("action", action);
    setTimeout(() => {
      if (this.sent !== action.id) return;
      if (wait < LONGEST_MS) this.deliver(action, 2 * wait);
      else this.free();
    }, wait);
  }

  /**
   * What the panel says of a suggestion, perhaps of one on another film.
   * @param {number} predictionId @param {"accept" | "correct" | "reject"} kind @param {string} reason
   */
  answerTo(predictionId, kind, reason) {
    const { editor } = this;
    const place = editor.films.findIndex((film) => film.openSuggestions().some((each) => each.predictionId === predictionId));
    const film = editor.films[place];
    const suggestion = film?.suggestions.find((each) => each.predictionId === predictionId);
    if (!suggestion) return editor.hint("This suggestion is answered already.");
    if (kind !== "correct") return this.answer(kind, suggestion, reason);
    if (!editor.panes.some((pane) => pane.film === film)) editor.showView(place);
    this.takeOver(suggestion, film);
  }

  accept() {
    const suggestion = this.current();
    if (!suggestion) return this.editor.hint("No suggestion is waiting on this film.");
    this.answer("accept", suggestion, "");
  }

  correct() {
    const suggestion = this.current();
    const film = this.editor.pane?.film;
    if (!suggestion || !film) return this.editor.hint("No suggestion is waiting on this film.");
    this.takeOver(suggestion, film);
  }

  /**
   * Put the suggestion into the finding's own mask, where it can be drawn on.
   * @param {Suggestion} suggestion @param {import("./documents.js").FilmDocument} film
   */
  async takeOver(suggestion, film) {
    const { editor } = this;
    await suggestion.loading;
    if (suggestion.maskSha && !suggestion.mask) return editor.hint(suggestion.failure);
    if (!editor.films.includes(film) || !film.openSuggestions().includes(suggestion)) return;
    let layer = film.layer(suggestion.finding);
    if (!layer) {
      layer = new Layer(film, {
        ...{ finding: suggestion.finding, name: suggestion.name, colour: suggestion.colour, editable: true },
        ...{ mask_sha: null, draft_id: null, base_version_id: null, suggestion_id: null },
      });
      film.layers.push(layer);
    }
    const why = editor.hands.whyNot(layer);
    if (why) return editor.hint(why);
    const mask = suggestion.mask ?? new Uint8Array(film.width * film.height);
    if (!layer.replace(mask, suggestion.predictionId)) layer.suggestionId = suggestion.predictionId;
    editor.saver.changed(layer);
    editor.hand.pick(layer.finding);
    editor.redraw();
  }

  reject() {
    const suggestion = this.current();
    const reasons = this.editor.data?.reject_reasons ?? [];
    if (!suggestion) return this.editor.hint("No suggestion is waiting on this film.");
    if (reasons.length) this.editor.suggestion.ask(reasons);
    else this.answer("reject", suggestion, "");
  }

  /** @param {number} index */
  pickReason(index) {
    const reason = this.editor.data?.reject_reasons[index];
    if (reason) this.rejectFor(reason);
  }

  /** @param {string} reason */
  rejectFor(reason) {
    const suggestion = this.current();
    this.editor.suggestion.ask([]);
    if (suggestion) this.answer("reject", suggestion, reason);
  }

  /** @param {"accept" | "reject"} kind @param {Suggestion} suggestion @param {string} reason */
  async answer(kind, suggestion, reason) {
    const { editor } = this;
    const wasSent = await this.send(kind, { prediction_id: suggestion.predictionId, reason });
    suggestion.isDecided = wasSent;
    editor.redraw();
    // Python answers with data that no longer lists it; if it refused, the suggestion comes back.
    setTimeout(() => {
      suggestion.isDecided = false;
      editor.redraw();
    }, ANSWERED_MS);
  }
}

/** @param {string} kind @returns {string} what was not done */
function sentenceFor(kind) {
  /** @type {Record<string, string>} */
  const sentences = {
    submit: "Not submitted.",
    next: "Stayed on this study.",
    previous: "Stayed on this study.",
    accept: "Not accepted.",
    reject: "Not rejected.",
    orient: "Not turned.",
  };
  return sentences[kind] ?? "Not sent.";
}
