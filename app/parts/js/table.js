/**
 * The worklist's rows. A click or Enter opens a study, the arrow keys walk, and every row is a link, so that a study
 * can be opened in a tab of its own.
 *
 * @typedef {{name: string, colour: string, says: string}} Chip
 * @typedef {object} Row
 * @property {number} id @property {string} href @property {string[]} thumbnails @property {string} patient
 * @property {string} study @property {string} views @property {Chip[]} findings @property {Chip[]} disputes
 * @property {string} marks @property {string} state @property {string} reader @property {string} changed
 */

import { make } from "../../mask_editor/js/make.js";
import { isTyping, rootOf } from "./dom.js";

const HEADINGS = ["", "Patient / study", "Views", "Findings", "Has", "State", "Reader", "Changed"];
const MOST_FINDINGS = 4;
const MOST_DISPUTES = 2;

/** @type {WeakMap<Node, Table>} */
const tables = new WeakMap();

class Table {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "table");
    this.shape = "";
    this.send = (/** @type {number} */ _id) => {};
    this.leaving = new AbortController();
    addEventListener("keydown", (event) => this.onKey(event), { signal: this.leaving.signal });
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.send = (id) => setTriggerValue("open", id);
    const shape = JSON.stringify(data.rows);
    if (shape === this.shape) return;
    this.shape = shape;
    const head = make("div", { class: "row head", role: "row" }, HEADINGS.map((text) => make("span", { text, role: "columnheader" })));
    this.root.setAttribute("role", "table");
    this.root.setAttribute("aria-label", "Studies");
    this.root.replaceChildren(head, ...data.rows.map((/** @type {Row} */ row) => this.row(row)));
  }

  /** @param {Row} row */
  row(row) {
    const chips = row.disputes.length ? row.disputes : row.findings;
    const most = row.disputes.length ? MOST_DISPUTES : MOST_FINDINGS;
    const shown = chips.slice(0, most).map(({ name, colour, says }) => {
      const dot = make("i", { class: "dot" });
      dot.style.background = colour;
      return make("span", { class: "finding" }, [dot, make("span", { text: name }), says ? make("span", { class: "faint", text: says, title: says }) : null]);
    });
    const more = chips.length - most;
    const link = make("a", { class: "row", role: "row", href: row.href, testid: `study-${row.id}`, "data-id": row.id }, [
      make("span", { class: "thumbs", role: "cell" }, row.thumbnails.map((src) => make("img", { src, alt: "", loading: "lazy", decoding: "async" }))),
      make("span", { class: "who", role: "cell" }, [make("b", { text: row.patient }), make("small", { text: row.study })]),
      make("span", { class: "faint", role: "cell", text: row.views }),
      make("span", { class: "findings", role: "cell" }, [...shown, more > 0 ? make("span", { class: "faint", text: `+${more}` }) : null]),
      make("span", { class: "faint", role: "cell", text: row.marks }),
      make("span", { class: `state ${row.state}`, role: "cell", text: row.state }),
      make("span", { class: "faint", role: "cell", text: row.reader }),
      make("span", { class: "faint when", role: "cell", text: row.changed }),
    ]);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.send(row.id);
    });
    return link;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.root.isConnected || document.querySelector("[role=dialog]")) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.root.querySelectorAll("a.row")].filter((row) => row instanceof HTMLElement);
    const scope = /** @type {ShadowRoot} */ (this.root.getRootNode());
    const here = rows.findIndex((row) => row === scope.activeElement);
    const next = rows[Math.min(rows.length - 1, Math.max(0, here + step))];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const table = tables.get(parent) ?? new Table(parent);
  tables.set(parent, table);
  table.update(component);
  return () => {
    setTimeout(() => {
      if (table.root.isConnected) return;
      table.leaving.abort();
      tables.delete(parent);
    });
  };
}
