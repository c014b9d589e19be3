/**
 * Who says what of a finding, and the word that settles it.
 *
 * @typedef {object} Voice
 * @property {string} who @property {string} state @property {string | null} side @property {string | null} zone
 * @property {string} more when, how sure, or the sentence that says so @property {boolean} is_reader
 */

import { inWords, isSameWord } from "../../mask_editor/js/labels.js";
import { tooltip } from "../../mask_editor/js/keys.js";
import { make } from "../../mask_editor/js/make.js";

/** @typedef {import("../../mask_editor/js/labels.js").Word} Word */

/** @type {Word[]} */
const PLAIN = ["present", "absent", "uncertain"].map((state) => ({ state: /** @type {any} */ (state), side: null, zone: null }));

/**
 * @param {import("./findings.js").Row} row @param {import("../../mask_editor/js/telling.js").Told | null} mine
 * @param {import("../../mask_editor/js/telling.js").Told | null} settled
 * @param {string} reader @param {(word: Word) => void} settle
 */
export function voicesOf(row, mine, settled, reader, settle) {
  const isSettled = settled !== null && settled.state !== "unassessed";
  const own = mine && mine.state !== "unassessed" ? [{ who: reader, more: "", is_reader: true, ...mine }] : [];
  const lines = [...row.voices, ...own].map((voice) =>
    make("div", { class: "voice" }, [
      make("span", { class: "faint", text: voice.who }),
      make("span", { text: inWords(/** @type {Word} */ (voice)) }),
      make("span", { class: "faint more", text: voice.more, title: voice.more }),
    ]),
  );
  const buttons = choices([...row.voices, ...own]).map((word) => {
    const isIt = isSettled && isSameWord(word, settled);
    const button = make("button", {
      class: "answer",
      type: "button",
      text: sentence(inWords(word)),
      title: isIt ? "Open it again" : tooltip("settle"),
      testid: `settle-${[word.state, word.side, word.zone].filter(Boolean).join("-")}`,
      "aria-pressed": isIt ? "true" : "false",
    });
    button.addEventListener("click", () => settle(isIt ? { state: "unassessed", side: null, zone: null } : word));
    return button;
  });
  return make("div", { class: "voices", testid: "voices" }, [
    ...lines,
    make("div", { class: "settle" }, [make("span", { class: "faint", text: isSettled ? "Settled" : "Settle", title: isSettled && row.settled_by }), ...buttons]),
  ]);
}

/** What can be settled on with one click: every word that somebody said, and the plain states. @param {any[]} said @returns {Word[]} */
function choices(said) {
  const words = said.filter((voice) => voice.state !== "absent" && (voice.side || voice.zone)).map(({ state, side, zone }) => ({ state, side, zone }));
  const all = [...PLAIN, ...words].sort((one, other) => order(one) - order(other));
  return all.filter((word, i) => all.findIndex((each) => isSameWord(each, word)) === i);
}

/** @param {Word} word */
function order(word) {
  return PLAIN.findIndex((plain) => plain.state === word.state);
}

/** @param {string} words */
function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
