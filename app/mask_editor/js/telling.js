/**
 * What the editor and the parts beside it say to each other without asking the server. Each of them is a module of its
 * own on one page, so their words go by way of the window: "deed", what the reader does in a part; "desk", how things
 * stand in the editor; "evidence", the sentence that is to be shown in the report; "spoken", the findings that the
 * sentence under the pointer speaks of.
 *
 * @typedef {"deed" | "desk" | "evidence" | "spoken"} Subject
 *
 * @typedef {object} Desk
 * @property {string} study @property {string | null} finding in hand
 * @property {number[]} open suggestions that wait for an answer
 * @property {string[]} drawn findings of which the reader has a draft
 * @property {boolean} isDraft whether the server holds anything of the reader's that is not submitted
 * @property {Record<string, Told>} labels @property {Record<string, Told>} settled by finding
 * @property {string | null} settling the finding whose next word settles it
 *
 * @typedef {import("./labels.js").Word & {unsaved: "" | "saving" | "failed"}} Told
 */

const PREFIX = "reading-room-";

/** @param {Subject} subject @param {any} words */
export function tell(subject, words) {
  dispatchEvent(new CustomEvent(PREFIX + subject, { detail: words }));
}

/** @param {Subject} subject @param {(words: any) => void} listen @param {AbortSignal} signal when to stop */
export function hear(subject, listen, signal) {
  addEventListener(PREFIX + subject, (event) => listen(/** @type {CustomEvent} */ (event).detail), { signal });
}
