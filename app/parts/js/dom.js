/** What every part needs of the page it stands on. */

import { make } from "../../mask_editor/js/make.js";

/** The one root of a part, kept over reruns. @param {ShadowRoot} parent @param {string} name @returns {HTMLElement} */
export function rootOf(parent, name) {
  const present = parent.querySelector(`.${name}`);
  if (present instanceof HTMLElement) return present;
  const root = make("div", { class: name, testid: name });
  parent.append(root);
  return root;
}

/** @param {Event} event @returns {boolean} whether keys belong to what is being typed */
export function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  if (target.tagName === "INPUT") return !/^(checkbox|radio|button|range)$/.test(target.type);
  return ["textbox", "combobox", "searchbox", "listbox", "menu"].includes(target.getAttribute("role") ?? "");
}

/** Press a key on behalf of a button, so that the editor acts on it as on the reader's own.
 * @param {string} key @param {string} code @returns {boolean} whether someone did */
export function press(key, code) {
  const event = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, composed: true });
  const isHeard = !document.body.dispatchEvent(event);
  document.body.dispatchEvent(new KeyboardEvent("keyup", { key, code, bubbles: true, composed: true }));
  return isHeard;
}
