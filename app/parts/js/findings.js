/**
 * The findings of a study: what the model, the report and the reader say of each. The editor keeps what the reader says
 * and draws, saves it, and knows the finding in hand; the panel shows that beside what Python told, and tells the editor
 * what is done here. Findings go by name, never by their place in the list: at the moment of a click the editor may
 * still show the study before.
 *
 * @typedef {object} Row what Python says of a finding
 * @property {string} key @property {string} name @property {string} colour
 * @property {boolean} assessed whether it can be said to be present @property {boolean} has_side @property {boolean} has_zone
 * @property {{text: string, says: string, title: string, has_map: boolean} | null} model
 * @property {{state: string, title: string, evidence: string} | null} report
 * @property {boolean} drawn @property {string} by who else drew the mask that counts
 * @property {import("./offers.js").Offer | null} suggestion
 * @property {import("./voices.js").Voice[]} voices @property {boolean} torn readers differ
 * @property {boolean} disputed anybody differs @property {string} settled_by
 */

import { make } from "../../mask_editor/js/make.js";
import { hear, tell } from "../../mask_editor/js/telling.js";
import { rootOf } from "./dom.js";
import { Offers } from "./offers.js";
import { lineOf, placeOf } from "./rows.js";
import { voicesOf } from "./voices.js";

const LOOK_AFTER_MS = 150;

/** @type {WeakMap<Node, Findings>} */
const panels = new WeakMap();

class Findings {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "findings");
    this.drawn = "";
    /** How things stand in the editor; null until it has spoken of this study. @type {import("../../mask_editor/js/telling.js").Desk | null} */
    this.desk = null;
    /** Findings whose voices the reader wants to see. @type {Set<string>} */
    this.opened = new Set();
    /** Findings that a sentence of the report speaks of, while the pointer is on it. @type {string[]} */
    this.spoken = [];
    this.offers = new Offers((answer) => this.deed("answer", answer), () => this.draw());
    /** The finding whose map the pointer asks for, and the sentence it rests on. */
    this.looking = "";
    this.evidence = "";
    this.timer = 0;
    this.isByKeyboard = false;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    hear("desk", (desk) => this.hearDesk(desk), signal);
    hear("spoken", ({ findings }) => this.hearSpoken(findings), signal);
    // Lines are drawn anew under the pointer, so where it rests is asked of the list and not of a line.
    this.root.addEventListener("pointerover", (event) => this.pointAt(event.target));
    this.root.addEventListener("pointerleave", () => this.pointAt(null));
    this.root.addEventListener("click", (event) => this.onClick(event), { capture: true });
  }

  /** @param {EventTarget | null} target */
  pointAt(target) {
    const place = target instanceof HTMLElement ? target : null;
    const looking = place?.closest("[data-map]")?.getAttribute("data-map") ?? "";
    if (looking !== this.looking) {
      this.looking = looking;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.deed("look", { finding: looking || null }), looking ? LOOK_AFTER_MS : 0);
    }
    const evidence = place?.closest("[data-evidence]")?.getAttribute("data-evidence") ?? "";
    if (evidence !== this.evidence) {
      this.evidence = evidence;
      tell("evidence", { sentence: evidence, stays: false });
    }
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    this.isByKeyboard = event.detail === 0;
    const button = event.target instanceof HTMLElement ? event.target.closest("button") : null;
    const evidence = button?.getAttribute("data-evidence");
    if (evidence) tell("evidence", { sentence: evidence, stays: true });
    // A button that keeps the focus would take the next Enter for itself.
    if (!this.isByKeyboard) button?.blur();
  }

  /** @param {any} component */
  update({ data }) {
    if (this.data?.study !== data.study) {
      this.desk = null;
      this.opened.clear();
    }
    this.data = data;
    if (!this.desk) this.deed("hello", {});
    this.draw();
  }

  /** @param {import("../../mask_editor/js/telling.js").Desk} desk */
  hearDesk(desk) {
    if (desk.study !== this.data?.study) return;
    const before = this.desk?.finding;
    this.desk = desk;
    if (before !== desk.finding) this.offers.stopAsking();
    this.draw();
    if (before !== desk.finding) this.root.querySelector(".line.active")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string[]} findings */
  hearSpoken(findings) {
    this.spoken = findings;
    this.draw();
  }

  /** @param {string} kind @param {object} details */
  deed(kind, details) {
    tell("deed", { kind, study: this.data.study, ...details });
  }

  get active() {
    return this.desk?.finding ?? this.data.active;
  }

  draw() {
    if (!this.data) return;
    const shape = JSON.stringify([this.data, this.desk, [...this.opened], this.spoken, this.offers.isAsking]);
    if (shape === this.drawn) return;
    this.drawn = shape;
    const scope = /** @type {ShadowRoot} */ (this.root.getRootNode());
    const focused = this.isByKeyboard ? scope.activeElement?.getAttribute("data-testid") : null;
    const head = make("div", { class: "line head" }, ["Findings", "model", "report", "me"].map((text) => make("span", { text })));
    this.root.replaceChildren(head, ...this.data.rows.flatMap((/** @type {Row} */ row, /** @type {number} */ place) => this.block(row, place)));
    if (this.offers.isAsking) this.root.querySelector("input")?.focus();
    else if (focused) this.root.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  /** A finding's line and what is unfolded beneath it. @param {Row} row @param {number} place @returns {HTMLElement[]} */
  block(row, place) {
    const { desk } = this;
    const isActive = row.key === this.active;
    const told = desk?.labels[row.key] ?? null;
    const settled = desk?.settled[row.key] ?? null;
    const line = lineOf(row, {
      place,
      isActive,
      isSpoken: this.spoken.includes(row.key),
      isDraft: desk?.drawn.includes(row.key) ?? false,
      hasOffer: this.isOffered(row),
      told,
      isSettled: settled !== null && settled.state !== "unassessed",
      pick: () => this.deed("pick", { finding: row.key }),
      say: (word) => this.deed("say", { finding: row.key, word }),
      unfold: () => this.unfold(row.key),
    });
    if (!isActive) return [line];
    const unfolded = [
      placeOf(row, told, (word) => this.deed("say", { finding: row.key, word })),
      this.isUnfolded(row) ? voicesOf(row, told, settled, this.data.reader, (word) => this.deed("settle", { finding: row.key, word })) : null,
      row === this.asked() && row.suggestion ? this.offers.show(row.suggestion, this.data.reasons) : null,
    ];
    return [line, ...unfolded.filter((part) => part !== null)];
  }

  /** @param {Row} row */
  isOffered(row) {
    return row.suggestion !== null && (this.desk?.open.includes(row.suggestion.id) ?? true);
  }

  /** The one whose suggestion A, T and X speak of: the finding in hand's, or else the first. @returns {Row | undefined} */
  asked() {
    const offered = this.data.rows.filter((/** @type {Row} */ row) => this.isOffered(row));
    return offered.find((/** @type {Row} */ row) => row.key === this.active) ?? offered[0];
  }

  /** @param {Row} row */
  isUnfolded(row) {
    return row.torn || this.opened.has(row.key) || this.desk?.settling === row.key || (this.data.settles && row.disputed);
  }

  /** @param {string} finding */
  unfold(finding) {
    const isOpen = this.opened.has(finding) && finding === this.active;
    if (isOpen) this.opened.delete(finding);
    else this.opened.add(finding);
    this.deed("pick", { finding });
    this.draw();
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const panel = panels.get(parent) ?? new Findings(parent);
  panels.set(parent, panel);
  panel.update(component);
  return () => {
    setTimeout(() => {
      if (panel.root.isConnected) return;
      panel.leaving.abort();
      panels.delete(parent);
    });
  };
}
