/**
 * The line above the film: which study this is, where its review stands, and the ways on. Its buttons press the keys of
 * the editor, which lets nothing leave before every stroke is safe.
 *
 * @typedef {object} Bar
 * @property {string} patient @property {string[]} facts @property {string} why @property {string[]} steps
 * @property {string} state @property {boolean} isSubmitted
 */

import { make } from "../../mask_editor/js/make.js";
import { press, rootOf } from "./dom.js";

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement, setTriggerValue }) {
  const root = rootOf(parentElement, "bar");
  const shape = JSON.stringify(data);
  if (root.dataset.shape === shape) return;
  root.dataset.shape = shape;

  /** @param {string} kind @param {string} key @param {string} code */
  const go = (kind, key, code) => () => {
    if (!press(key, code)) setTriggerValue("action", kind);
  };
  /** @param {string} kind @param {string} says @param {string} key @param {string} tip @param {() => void} run */
  const button = (kind, says, key, tip, run) => {
    const element = make("button", { class: kind, type: "button", testid: `bar-${kind}`, title: `${tip}  ·  ${key}`, "aria-keyshortcuts": key }, [
      says ? make("span", { text: says }) : null,
      make("kbd", { text: key === "Enter" ? "⏎" : key }),
    ]);
    element.addEventListener("click", run);
    return element;
  };
  const steps = data.steps.map((/** @type {string} */ step) =>
    make("span", { class: step === data.state ? `step here ${step}` : "step", "aria-current": step === data.state ? "step" : null, text: step }),
  );
  const submit = button("submit", data.isSubmitted ? "Submit again" : "Submit", "Enter", "Submit the study", go("submit", "Enter", "Enter"));
  submit.classList.toggle("done", data.isSubmitted);
  root.replaceChildren(
    button("previous", "‹", "P", "The study before this one", go("previous", "p", "KeyP")),
    make("div", { class: "title" }, [
      make("b", { text: data.patient, testid: "bar-patient" }),
      ...data.facts.map((/** @type {string} */ fact) => make("span", { class: "fact", text: fact })),
      data.why ? make("span", { class: "why", text: data.why, title: data.why }) : null,
    ]),
    make("div", { class: "steps", role: "list", "aria-label": "Where the review stands" }, steps),
    submit,
    button("next", "Next", "N", "The queue's next study", go("next", "n", "KeyN")),
  );
}
