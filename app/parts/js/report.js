/**
 * The report in its sections. A click on a sentence asks the model for a mask of what it says.
 *
 * @typedef {{index: number, text: string, finding: string, colour: string}} Sentence
 * @typedef {{name: string, text: string, sentences: Sentence[]}} Section
 */

import { make } from "../../mask_editor/js/make.js";
import { rootOf } from "./dom.js";

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement, setTriggerValue }) {
  const root = rootOf(parentElement, "report");
  const shape = JSON.stringify(data);
  if (root.dataset.shape === shape) return;
  root.dataset.shape = shape;

  /** @param {Sentence} sentence */
  const passage = (sentence) => {
    const saysNothing = !/\p{L}/u.test(sentence.text);
    if (!data.canAsk || saysNothing) return make("span", { class: "sentence", text: `${sentence.text} ` });
    const tip = sentence.finding ? `Ask the model to mark: ${sentence.finding}` : "Ask the model to mark the finding in hand";
    const button = make("button", {
      class: sentence.index === data.asked ? "sentence asked" : "sentence",
      type: "button",
      text: sentence.text,
      title: tip,
      testid: `sentence-${sentence.index}`,
    });
    if (sentence.finding) button.style.setProperty("--finding", sentence.colour);
    button.classList.toggle("known", Boolean(sentence.finding));
    button.addEventListener("click", () => setTriggerValue("ask", sentence.index));
    return button;
  };
  root.replaceChildren(
    ...data.sections.map((/** @type {Section} */ section) =>
      make("section", { class: section.sentences.length ? "" : "aside" }, [
        make("h4", { text: section.name }),
        section.sentences.length ? make("div", { class: "sentences" }, section.sentences.map(passage)) : make("p", { text: section.text }),
      ]),
    ),
  );
}
