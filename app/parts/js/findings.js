/**
 * The findings of a study: what the model, the report and the reader say of each. A row picks the finding to draw, and
 * one row carries the answers to its suggestion. What is clicked is told to Python by name, never by the place it has in
 * the list: at that moment the editor may still show the study before, with its findings in another order.
 *
 * @typedef {object} Row
 * @property {string} key @property {string} name @property {string} colour @property {string} model
 * @property {string} report @property {string} me @property {string} by @property {Suggestion | null} suggestion
 * @typedef {{id: number, says: string}} Suggestion
 */

import { make } from "../../mask_editor/js/make.js";
import { rootOf } from "./dom.js";

const SIGNS = { present: "+", absent: "−", uncertain: "?" };

/** @type {WeakMap<Node, Findings>} */
const lists = new WeakMap();

class Findings {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "findings");
    this.shape = "";
    this.isAsking = false;
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.send = setTriggerValue;
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    if (this.data?.active !== data.active) this.isAsking = false;
    this.shape = shape;
    this.data = data;
    this.draw();
  }

  draw() {
    const { rows, active, reasons } = this.data;
    const head = make("div", { class: "line head" }, ["Findings", "model", "report", "me"].map((text) => make("span", { text })));
    // The same one that the editor's A, T and X speak of: the finding in hand's, or else the first.
    const asked = rows.find((/** @type {Row} */ row) => row.key === active && row.suggestion) ?? rows.find((/** @type {Row} */ row) => row.suggestion);
    const lines = rows.flatMap((/** @type {Row} */ row, /** @type {number} */ index) => {
      const isActive = row.key === active;
      const line = this.line(row, index, isActive);
      return row === asked ? [line, this.answers(row.suggestion, reasons)] : [line];
    });
    this.root.replaceChildren(head, ...lines);
  }

  /** @param {Row} row @param {number} index @param {boolean} isActive */
  line(row, index, isActive) {
    const dot = make("i", { class: row.me || row.by || row.suggestion ? "dot" : "dot hollow" });
    dot.style.setProperty("--finding", row.colour);
    const key = index < 9 ? String(index + 1) : "";
    const line = make(
      "button",
      {
        class: isActive ? "line active" : "line",
        type: "button",
        testid: `finding-${row.key}`,
        title: `Draw ${row.name}${key ? `  ·  ${key}` : ""}`,
        "aria-pressed": isActive ? "true" : "false",
      },
      [
        make("span", { class: "name" }, [dot, make("span", { text: row.name }), key ? make("kbd", { text: key }) : null]),
        make("span", { text: row.model }),
        make("span", { text: SIGNS[row.report] ?? "", title: row.report && `The report says: ${row.report}` }),
        make("span", { text: row.me === "draft" ? "draft" : row.me || row.by ? "✓" : "", class: row.me, title: row.by && `Drawn by ${row.by}` }),
      ],
    );
    line.addEventListener("click", () => this.send("pick", row.key));
    return line;
  }

  /** @param {Suggestion} suggestion @param {string[]} reasons */
  answers(suggestion, reasons) {
    const says = make("span", { class: "says", text: suggestion.says });
    if (this.isAsking) return make("div", { class: "answers" }, [says, ...this.reasons(suggestion, reasons)]);
    /** @param {string} id @param {string} text @param {string} key @param {string} tip @param {() => void} run */
    const button = (id, text, key, tip, run) => {
      const element = make("button", { class: "answer", type: "button", testid: `panel-${id}`, title: `${tip}  ·  ${key}` }, [
        make("span", { text }),
        make("kbd", { text: key }),
      ]);
      element.addEventListener("click", run);
      return element;
    };
    return make("div", { class: "answers" }, [
      says,
      button("accept", "Accept", "A", "Take the suggestion as it is", () => this.answer("accept", suggestion)),
      button("correct", "Correct", "T", "Take it over and draw on it", () => this.answer("correct", suggestion)),
      button("reject", "Reject", "X", "Turn it down, with a reason", () => {
        this.isAsking = true;
        this.draw();
        this.root.querySelector("input")?.focus();
      }),
    ]);
  }

  /** @param {"accept" | "correct" | "reject"} kind @param {Suggestion} suggestion @param {string} [reason] */
  answer(kind, suggestion, reason = "") {
    this.send("answer", { kind, prediction: suggestion.id, reason });
  }

  /** @param {Suggestion} suggestion @param {string[]} reasons */
  reasons(suggestion, reasons) {
    const say = (/** @type {string} */ reason) => {
      if (!reason.trim()) return;
      this.isAsking = false;
      this.answer("reject", suggestion, reason);
      this.draw();
    };
    const chips = reasons.map((reason) => {
      const chip = make("button", { class: "answer", type: "button", text: reason });
      chip.addEventListener("click", () => say(reason));
      return chip;
    });
    const words = make("input", { type: "text", placeholder: "or in your words, then Enter", testid: "panel-reason", "aria-label": "Why it is rejected" });
    words.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") say(words.value);
      if (event.key !== "Escape") return;
      this.isAsking = false;
      this.draw();
    });
    return [...chips, words];
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const list = lists.get(parent) ?? new Findings(parent);
  lists.set(parent, list);
  list.update(component);
}
