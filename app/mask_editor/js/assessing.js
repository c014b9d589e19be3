/** What the reader says of findings by key or in the panel: their state, side and zone, and the way from one to the next. */

import { inWords, SIDES, ZONES } from "./labels.js";

/**
 * @typedef {import("./labels.js").Label} Label
 * @typedef {import("./labels.js").Word} Word
 */

const UNDO_OFFERED_MS = 8000;

export class Assessor {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    /** The finding whose next word settles what others disagree on. @type {string | null} */
    this.settling = null;
  }

  /** @param {string | null} finding @returns {Label | null} the reader's word on it, or why there is none is told */
  label(finding) {
    const { editor } = this;
    const label = editor.labels?.label(finding) ?? null;
    if (label) return label;
    const name = editor.layer()?.name;
    if (editor.data?.read_only) editor.hint("This study is open for reading only.");
    else editor.hint(name ? `${name} is drawn, not assessed. Pick a finding.` : "Pick a finding first.");
    return null;
  }

  /** @param {import("./labels.js").State} state of the finding in hand */
  say(state) {
    const { finding } = this.editor.look;
    const label = this.label(finding);
    if (!label) return;
    if (this.settling !== null && this.settling === finding) this.settle(finding, { state, side: null, zone: null });
    else this.set(label, { ...label.word, state });
  }

  /** @param {Label} label @param {Word} word */
  set(label, word) {
    this.editor.labels?.set(label, word);
    this.editor.refresh();
  }

  /** The next side, or zone, of the finding in hand; after the last none. @param {"side" | "zone"} what */
  turn(what) {
    const label = this.label(this.editor.look.finding);
    if (!label) return;
    const isAsked = what === "side" ? label.hasSide : label.hasZone;
    if (!isAsked) return this.editor.hint(`${label.name} has no ${what}.`);
    if (!label.hasPlace) return this.editor.hint(`Say first that ${label.name} is present or uncertain.`);
    const places = what === "side" ? SIDES : ZONES;
    const next = places[places.indexOf(label.word[what] ?? "") + 1] ?? null;
    this.set(label, { ...label.word, [what]: next });
  }

  restAbsent() {
    const { editor } = this;
    if (!editor.labels) return;
    const count = editor.labels.restAbsent();
    if (count === 0) return editor.hint("Every finding is assessed.");
    editor.notices.show("rest", `${count === 1 ? "One finding" : `${count} findings`} marked absent.`, {
      actions: [{ says: "Undo", run: () => editor.hands.step("undo") }],
      lasts: UNDO_OFFERED_MS,
    });
    editor.refresh();
  }

  /** @param {1 | -1} by */
  walk(by) {
    const { editor } = this;
    const findings = editor.labels ? [...editor.labels.voices.reader.keys()] : [];
    if (findings.length === 0) return;
    const here = findings.indexOf(editor.look.finding ?? "");
    const next = here < 0 ? (by > 0 ? 0 : findings.length - 1) : (here + by + findings.length) % findings.length;
    editor.hand.pick(findings[next]);
  }

  /** The next word on the finding in hand shall settle it. */
  startSettling() {
    const { editor } = this;
    const label = this.label(editor.look.finding);
    if (!label) return;
    this.settling = label.finding;
    editor.notices.show("settling", `Settle ${label.name}: S present, D absent, G uncertain, U open again. Esc to leave it.`);
    editor.refresh();
  }

  /** @returns {boolean} whether there was something to stop */
  stopSettling() {
    if (this.settling === null) return false;
    this.settling = null;
    this.editor.notices.dismiss("settling");
    this.editor.refresh();
    return true;
  }

  /** @param {string} finding @param {Word} word */
  settle(finding, word) {
    this.stopSettling();
    const label = this.editor.labels?.label(finding, "settled");
    if (!label) return;
    this.set(label, word);
    this.editor.hint(label.isSaid ? `${label.name} is settled: ${inWords(word)}.` : `${label.name} is open again.`);
  }
}
