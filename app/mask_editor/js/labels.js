/**
 * What is said of the findings of a study. Like strokes, words outlive the screen that shows them, are saved one by one
 * without a rerun, and fork when two tabs go on from the same one.
 *
 * @typedef {"reader" | "settled"} Voice the reader's own word, or the one that settles what others disagree on
 * @typedef {"present" | "absent" | "uncertain" | "unassessed"} State
 * @typedef {{state: State, side: string | null, zone: string | null}} Word
 * @typedef {object} LabelData a word as Python describes it
 * @property {string} finding @property {string} name @property {State} state
 * @property {string | null} side @property {string | null} zone
 * @property {number | null} draft_id @property {number | null} base_version_id
 * @property {boolean} has_side @property {boolean} has_zone
 */

import { keyOfLabel } from "./offline.js";
import { SaveQueue } from "./queue.js";

const UNDO_DEPTH = 100;
export const SIDES = ["right", "left", "both"];
export const ZONES = ["upper", "mid", "lower"];

/** @param {Word} one @param {Word} other */
export function isSameWord(one, other) {
  return one.state === other.state && one.side === other.side && one.zone === other.zone;
}

/** @param {Word} word @returns {string} "present, left, lower" */
export function inWords({ state, side, zone }) {
  return [state, side === "both" ? "both sides" : side, zone].filter(Boolean).join(", ");
}

/** One word on one finding. */
export class Label {
  /** @param {StudyLabels} book @param {Voice} voice @param {LabelData} data */
  constructor(book, voice, data) {
    this.book = book;
    this.voice = voice;
    this.finding = data.finding;
    this.name = data.name;
    this.hasSide = data.has_side;
    this.hasZone = data.has_zone;
    /** @type {Word} */
    this.word = wordOf(data);
    this.draftId = data.draft_id;
    this.baseId = data.base_version_id;
    /** Drafts that the server acknowledged to this page. @type {Set<number>} */
    this.ownDrafts = new Set();
    this.described = describe(data);
    /** What the server last said of another line of this label. @type {string | null} */
    this.conflict = null;
    this.save = new LabelQueue(book.saver, this);
  }

  get isSaid() {
    return this.word.state !== "unassessed";
  }

  /** Whether a side and a zone mean anything now. */
  get hasPlace() {
    return this.word.state === "present" || this.word.state === "uncertain";
  }

  /** Take what Python says, unless what is here is newer. @param {LabelData} data */
  adopt(data) {
    this.name = data.name;
    const described = describe(data);
    if (described === this.described) return;
    this.described = described;
    const isOurs = data.draft_id !== null && this.ownDrafts.has(data.draft_id);
    if (isOurs) this.baseId = data.base_version_id;
    if (isOurs || this.save.isBehind) return;
    this.draftId = data.draft_id;
    this.baseId = data.base_version_id;
    this.word = wordOf(data);
  }

  /** @param {Word} word */
  say(word) {
    this.word = word;
    this.book.saver.take(this.save);
  }
}

/** The saves of one word. */
class LabelQueue extends SaveQueue {
  /** @param {import("./saving.js").Saver} saver @param {Label} label */
  constructor(saver, label) {
    super(saver, "label");
    this.label = label;
    this.reader = label.book.reader;
  }

  get key() {
    const { book, voice, finding } = this.label;
    return keyOfLabel(this.reader, book.studyId, voice, finding);
  }

  keep() {
    const { key, reader, label } = this;
    const { book, voice, finding, word, draftId, baseId } = label;
    const at = new Date().toISOString();
    this.saver.remember({ key, reader, studyId: book.studyId, finding, voice, word, parent: draftId, base: baseId, at });
  }

  async send() {
    const { label, saver } = this;
    const { book, voice, finding, word, draftId, baseId } = label;
    this.keep();
    const query = new URLSearchParams({ parent: String(draftId ?? ""), base: String(baseId ?? "") });
    const place = `${encodeURIComponent(book.studyId)}/${encodeURIComponent(finding)}${voice === "settled" ? "/settled" : ""}`;
    const body = new TextEncoder().encode(JSON.stringify(word));
    const acknowledgement = await saver.post(`${saver.routes.labels}/${place}?${query}`, body.buffer, "application/json");
    if (voice === "settled") {
      label.baseId = acknowledgement.version;
    } else {
      label.draftId = acknowledgement.draft;
      label.ownDrafts.add(acknowledgement.draft);
    }
    saver.savedAt = new Date(acknowledgement.saved_at);
    if (acknowledgement.conflict && acknowledgement.conflict !== label.conflict) {
      saver.onConflict(label, acknowledgement.conflict);
    }
    label.conflict = acknowledgement.conflict;
  }

  acknowledged() {
    if (!this.isBehind) this.saver.forget(this.key);
  }
}

/**
 * All words of one reader on one study, with what was done and undone.
 *
 * @typedef {{label: Label, before: Word, after: Word}} Change
 * @typedef {{at: number, changes: Change[]}} Step
 */
export class StudyLabels {
  /** @param {import("./saving.js").Saver} saver @param {string} reader @param {string} studyId */
  constructor(saver, reader, studyId) {
    this.saver = saver;
    this.reader = reader;
    this.studyId = studyId;
    /** @type {Record<Voice, Map<string, Label>>} */
    this.voices = { reader: new Map(), settled: new Map() };
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
  }

  /** @param {Voice} voice @param {LabelData[]} described those that are shown, in their order */
  adopt(voice, described) {
    const before = this.voices[voice];
    const now = new Map();
    for (const data of described) {
      const label = before.get(data.finding) ?? new Label(this, voice, data);
      label.adopt(data);
      now.set(data.finding, label);
    }
    for (const [finding, label] of before) {
      if (!now.has(finding) && label.save.isBehind) now.set(finding, label);
    }
    this.voices[voice] = now;
  }

  /** @param {string | null} finding @param {Voice} [voice] @returns {Label | null} */
  label(finding, voice = "reader") {
    return (finding !== null && this.voices[voice].get(finding)) || null;
  }

  /** @returns {Label[]} */
  all() {
    return [...this.voices.reader.values(), ...this.voices.settled.values()];
  }

  get isUnsaved() {
    return this.all().some((label) => label.save.isBehind);
  }

  /** @param {Label} label @param {Word} word @returns {boolean} whether anything changed */
  set(label, word) {
    return this.change([{ label, before: label.word, after: tidy(word) }]);
  }

  /** Say absent of all that the reader has not assessed. @returns {number} of how many */
  restAbsent() {
    const open = [...this.voices.reader.values()].filter((label) => !label.isSaid);
    this.change(open.map((label) => ({ label, before: label.word, after: { state: "absent", side: null, zone: null } })));
    return open.length;
  }

  /** @param {Change[]} changes @returns {boolean} */
  change(changes) {
    const real = changes.filter(({ before, after }) => !isSameWord(before, after));
    if (real.length === 0) return false;
    this.done.push({ at: performance.now(), changes: real });
    if (this.done.length > UNDO_DEPTH) this.done.shift();
    this.undone = [];
    for (const { label, after } of real) label.say(after);
    return true;
  }

  /** @returns {boolean} whether there was a step */
  undo() {
    const step = this.done.pop();
    if (!step) return false;
    this.undone.push(step);
    for (const { label, before } of step.changes) label.say(before);
    return true;
  }

  /** @returns {boolean} whether there was a step */
  redo() {
    const step = this.undone.pop();
    if (!step) return false;
    this.done.push(step);
    for (const { label, after } of step.changes) label.say(after);
    return true;
  }
}

/** @param {Word} word @returns {Word} only what is there, or may be, is somewhere */
function tidy(word) {
  const hasPlace = word.state === "present" || word.state === "uncertain";
  return hasPlace ? word : { state: word.state, side: null, zone: null };
}

/** @param {LabelData} data @returns {Word} */
function wordOf({ state, side, zone }) {
  return { state, side, zone };
}

/** @param {LabelData} data @returns {string} equal when Python means the same word */
function describe({ state, side, zone, draft_id, base_version_id }) {
  return JSON.stringify([state, side, zone, draft_id, base_version_id]);
}
