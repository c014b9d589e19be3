/**
 * What a model says of each finding: the probability from the film alone and with the context, the threshold between
 * them. A row is chosen by click or with the arrow keys.
 *
 * @typedef {{key: string, name: string, colour: string, probability: number, without: number, threshold: number | null,
 *   present: boolean}} Row
 */

import { make } from "../../mask_editor/js/make.js";
import { rootOf } from "./dom.js";

/** @param {number} share */
const percent = (share) => `${100 * share}%`;

/** @param {number} share */
const two = (share) => share.toFixed(2);

/** @param {Row} row @param {boolean} hasContext */
function track(row, hasContext) {
  const bar = make("i", { class: "bar" });
  bar.style.width = percent(row.probability);
  const marks = [bar];
  if (row.threshold !== null) {
    const mark = make("i", { class: "threshold", title: `Present from ${two(row.threshold)} up` });
    mark.style.left = percent(row.threshold);
    marks.push(mark);
  }
  if (hasContext) {
    const ring = make("i", { class: "ring", title: `From the film alone ${two(row.without)}` });
    ring.style.left = percent(row.without);
    marks.push(ring);
  }
  return make("span", { class: "track" }, marks);
}

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement, setTriggerValue }) {
  const root = rootOf(parentElement, "opinions");
  const shape = JSON.stringify(data);
  if (root.dataset.shape === shape) return;
  root.dataset.shape = shape;
  const isInside = root.contains(/** @type {ShadowRoot} */ (root.getRootNode()).activeElement);
  root.classList.toggle("both", data.hasContext);

  /** @param {Row} row */
  const line = (row) => {
    const isChosen = row.key === data.chosen;
    const dot = make("i", { class: row.present ? "dot" : "dot hollow" });
    dot.style.setProperty("--finding", row.colour);
    const button = make(
      "button",
      {
        class: `row${row.present ? " present" : ""}`,
        type: "button",
        testid: `opinion-${row.key}`,
        title: `Show where the model looked for ${row.name}  ·  ↑ ↓`,
        "aria-pressed": String(isChosen),
      },
      [
        make("span", { class: "name" }, [dot, make("span", { text: row.name })]),
        track(row, data.hasContext),
        data.hasContext ? make("span", { class: "share alone", text: two(row.without) }) : null,
        make("span", { class: "share", text: two(row.probability) }),
      ],
    );
    button.addEventListener("click", () => setTriggerValue("choose", row.key));
    return button;
  };

  const lines = data.rows.map(line);
  const head = make("div", { class: "row head" }, [
    make("span", { text: "Finding" }),
    make("span"),
    make("span", { class: "share", text: "film alone" }),
    data.hasContext ? make("span", { class: "share", text: "with context" }) : null,
  ]);
  root.replaceChildren(head, ...lines);
  root.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = lines.indexOf(/** @type {HTMLButtonElement} */ (/** @type {ShadowRoot} */ (root.getRootNode()).activeElement));
    const next = lines[here + (step ?? 0)];
    if (!step || here < 0 || !next) return;
    event.preventDefault();
    next.focus();
    next.click();
  };
  if (isInside) lines[data.rows.findIndex((/** @type {Row} */ row) => row.key === data.chosen)]?.focus();
}
