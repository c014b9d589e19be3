/** Passages of a written report: how they are shown, and which one a person has marked. */

import { make } from "../../mask_editor/js/make.js";

/** A text that begins at `from` of its section, with the pinned passages coloured; where two overlap, the graver one
 * shows. @param {string} text @param {number} from @param {any[]} places @returns {Node[]} */
export function marked(text, from, places) {
  const points = pointsOf(text);
  const grave = new Array(points.length).fill(0);
  for (const { start, end, severity } of places) {
    for (let at = Math.max(start - from, 0); at < Math.min(end - from, points.length); at++) grave[at] = Math.max(grave[at], severity);
  }
  const pieces = [];
  for (let first = 0, last = 0; first < points.length; first = last) {
    while (last < points.length && grave[last] === grave[first]) last++;
    const words = points.slice(first, last).join("");
    pieces.push(grave[first] ? make("mark", { class: `grave-${grave[first]}`, text: words }) : document.createTextNode(words));
  }
  return pieces;
}

/** Where a point of the page lies in its section's text. @param {Node} node @param {number} offset
 * @returns {{section: string, at: number} | null} */
function placeOf(node, offset) {
  const element = node instanceof Element ? node : node.parentElement;
  const sentence = element?.closest(".sentence");
  const section = sentence?.closest("[data-section]")?.getAttribute("data-section");
  if (!sentence || !section) return null;
  const before = document.createRange();
  before.setStart(sentence, 0);
  before.setEnd(node, offset);
  return { section, at: Number(sentence.getAttribute("data-start")) + pointsOf(before.toString()).length };
}

/** Offsets count code points, as the server's do; the page's own count halves of some. @param {string} text */
function pointsOf(text) {
  return [...text];
}

/** The words that a person has marked, without the blanks around them; null where they lie in no one section.
 * @param {HTMLElement} root @param {(section: string) => string} textOf @returns {import("./pinning.js").Passage | null} */
export function markedPassage(root, textOf) {
  const scope = /** @type {any} */ (root.getRootNode());
  const chosen = scope.getSelection?.() ?? getSelection();
  if (!chosen || chosen.isCollapsed || chosen.rangeCount === 0) return null;
  const range = chosen.getRangeAt(0);
  const from = placeOf(range.startContainer, range.startOffset);
  const to = placeOf(range.endContainer, range.endOffset);
  if (!from || !to || from.section !== to.section || to.at <= from.at) return null;
  const text = pointsOf(textOf(from.section));
  let [start, end] = [from.at, to.at];
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  return end > start ? { section: from.section, start, end, words: text.slice(start, end).join("") } : null;
}
