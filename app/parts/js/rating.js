/** The buttons of a judgement. */

import { make } from "../../mask_editor/js/make.js";

const LIKERT = [1, 2, 3, 4, 5];

/** Five buttons, one of which is pressed.
 * @param {string} words @param {"overall" | "would_sign"} name @param {string} keys
 * @param {{overall: number, would_sign: number} | null} quality @param {(change: Record<string, number>) => void} rate */
export function likert(words, name, keys, quality, rate) {
  const buttons = LIKERT.map((value) => {
    const button = make("button", {
      type: "button", class: "choice", text: String(value), title: `${words}: ${value} of 5 (${keys})`,
      "aria-pressed": String(quality?.[name] === value), testid: `${name}-${value}`,
    });
    button.addEventListener("click", () => rate({ [name]: value }));
    return button;
  });
  return make("div", { class: "choices", role: "group", "aria-label": words }, [make("span", { class: "faint", text: words }), ...buttons]);
}

/** @param {string} words @param {string} title @param {() => void} act @param {string} [look] */
export function choice(words, title, act, look = "choice") {
  const button = make("button", { type: "button", class: look, text: words, title });
  button.addEventListener("click", act);
  return button;
}
