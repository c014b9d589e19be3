/**
 * The line above the film: which study this is, where its review stands, and the ways on. Its buttons press the keys of
 * the editor, which lets nothing leave before every stroke is safe.
 *
 * @typedef {object} Data
 * @property {string} study @property {string} patient @property {string[]} facts @property {string} why
 * @property {string[]} steps @property {string} state @property {boolean} isSubmitted
 */

import { make } from "../../mask_editor/js/make.js";
import { hear } from "../../mask_editor/js/telling.js";
import { press, rootOf } from "./dom.js";

const DRAFT = "draft";

/** @type {WeakMap<Node, Bar>} */
const bars = new WeakMap();

class Bar {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "bar");
    this.shape = "";
    this.drawn = "";
    this.leaving = new AbortController();
    hear("desk", (desk) => this.hearDesk(desk), this.leaving.signal);
  }

  /** @param {any} component as Streamlit passes it */
  update({ data, setTriggerValue }) {
    this.act = (/** @type {string} */ kind) => setTriggerValue("action", kind);
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    this.shape = shape;
    /** @type {Data} */
    this.data = data;
    this.draw(data.state);
  }

  /** The editor saves without a run of the page, so what became a draft is heard from it.
   * @param {import("../../mask_editor/js/telling.js").Desk} desk */
  hearDesk(desk) {
    if (desk.study === this.data?.study) this.draw(desk.isDraft ? DRAFT : this.data.state);
  }

  /** @param {string} state */
  draw(state) {
    const { data } = this;
    const drawn = JSON.stringify([data, state]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const isSubmitted = state === data.state && data.isSubmitted;
    const steps = data.steps.map((step) =>
      make("span", { class: step === state ? `step here ${step}` : "step", "aria-current": step === state ? "step" : null, text: step }),
    );
    const submit = this.button("submit", isSubmitted ? "Submit again" : "Submit", "Enter", "Enter", "Submit the study");
    submit.classList.toggle("done", isSubmitted);
    this.root.replaceChildren(
      this.button("previous", "‹", "p", "KeyP", "The study before this one"),
      make("div", { class: "title" }, [
        make("b", { text: data.patient, testid: "bar-patient" }),
        ...data.facts.map((fact) => make("span", { class: "fact", text: fact })),
        data.why ? make("span", { class: "why", text: data.why, title: data.why }) : null,
      ]),
      make("div", { class: "steps", role: "list", "aria-label": "Where the review stands" }, steps),
      submit,
      this.button("next", "Next", "n", "KeyN", "The queue's next study"),
    );
  }

  /** @param {string} kind @param {string} says @param {string} key @param {string} code @param {string} tip */
  button(kind, says, key, code, tip) {
    const named = key === "Enter" ? key : key.toUpperCase();
    const element = make("button", { class: kind, type: "button", testid: `bar-${kind}`, title: `${tip}  ·  ${named}`, "aria-keyshortcuts": named }, [
      make("span", { text: says }),
      make("kbd", { text: key === "Enter" ? "⏎" : named }),
    ]);
    element.addEventListener("click", () => {
      if (!press(key, code)) this.act?.(kind);
    });
    return element;
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const { parentElement } = component;
  const bar = bars.get(parentElement) ?? new Bar(parentElement);
  bars.set(parentElement, bar);
  bar.update(component);
  return () => {
    setTimeout(() => {
      if (bar.root.isConnected) return;
      bar.leaving.abort();
      bars.delete(parentElement);
    });
  };
}
