/** A text that is rewritten where it stands. */

import { make } from "../../mask_editor/js/make.js";

/** Let words be rewritten where they stand: Enter or leaving takes them, Escape does not.
 * @param {HTMLElement} shown @param {string} text @param {(words: string) => void} take hears them if they changed
 * @param {() => void} giveUp */
export function rewrite(shown, text, take, giveUp) {
  const area = make("textarea", { "aria-label": "Corrected words", testid: "correcting", rows: Math.max(2, Math.ceil(text.length / 48)) });
  area.value = text;
  let isOver = false;
  const leave = (/** @type {boolean} */ keeps) => {
    if (isOver) return;
    isOver = true;
    if (keeps && area.value.trim() !== text.trim()) take(area.value);
    else giveUp();
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(false);
    else if (event.key === "Enter" && !event.shiftKey) leave(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  area.addEventListener("blur", () => leave(true));
  shown.replaceWith(area);
  area.focus();
}
