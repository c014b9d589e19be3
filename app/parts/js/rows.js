/** The line of a finding, and beneath the one in hand where it lies. */

import { SIDES, ZONES } from "../../mask_editor/js/labels.js";
import { tooltip } from "../../mask_editor/js/keys.js";
import { make } from "../../mask_editor/js/make.js";

/**
 * @typedef {import("./findings.js").Row} Row
 * @typedef {import("../../mask_editor/js/telling.js").Told} Told
 * @typedef {Partial<import("../../mask_editor/js/labels.js").Word>} Change
 */

export const SIGNS = { present: "+", absent: "−", uncertain: "?" };
/** The patient's side, as it is marked on a film. @type {Record<string, string>} */
const SHORT = { right: "R", left: "L", both: "R + L" };

/**
 * @param {Row} row
 * @param {{place: number, isActive: boolean, isSpoken: boolean, isDraft: boolean, hasOffer: boolean, told: Told | null,
 *   isSettled: boolean, pick: () => void, say: (word: Change) => void, unfold: () => void}} now
 */
export function lineOf(row, now) {
  const line = make("div", { class: ["line", now.isActive && "active", now.isSpoken && "spoken"].filter(Boolean).join(" ") }, [
    nameOf(row, now),
    modelOf(row),
    reportOf(row, now.isActive),
    row.assessed ? wordsOf(row, now) : make("span"),
  ]);
  line.addEventListener("click", (event) => {
    if (!(event.target instanceof Element && event.target.closest("button"))) now.pick();
  });
  return line;
}

/** @param {Row} row @param {Parameters<typeof lineOf>[1]} now */
function nameOf(row, now) {
  const dot = make("i", { class: row.drawn || row.by || now.isDraft || now.hasOffer ? "dot" : "dot hollow" });
  dot.style.setProperty("--finding", row.colour);
  const key = now.place < 9 ? String(now.place + 1) : "";
  const where = now.told ? [SHORT[now.told.side ?? ""], now.told.zone].filter(Boolean).join(" ") : "";
  const name = where ? `${row.name}, ${where}` : row.name;
  const pick = make(
    "button",
    {
      class: "name",
      type: "button",
      testid: `finding-${row.key}`,
      title: [name, row.by && `drawn by ${row.by}`, key].filter(Boolean).join("  ·  "),
      "aria-pressed": now.isActive ? "true" : "false",
    },
    [
      dot,
      make("span", { text: name }),
      key ? make("kbd", { text: key }) : null,
      now.isDraft ? make("small", { class: "draft", text: "draft" }) : null,
    ],
  );
  pick.addEventListener("click", now.pick);
  return make("span", { class: "named" }, [pick, row.disputed || now.isSettled ? markOf(row, now) : null]);
}

/** The mark of a disagreement, which unfolds who says what. @param {Row} row @param {Parameters<typeof lineOf>[1]} now */
function markOf(row, now) {
  const tip = now.isSettled ? "Settled. Show who said what" : row.torn ? "Readers disagree. Show who says what" : "Not all say the same. Show who says what";
  const kind = now.isSettled ? "mark settled" : row.torn ? "mark torn" : "mark";
  const mark = make("button", { class: kind, type: "button", text: now.isSettled ? "=" : "≠", title: tip, "aria-label": tip, testid: `voices-${row.key}` });
  mark.addEventListener("click", now.unfold);
  return mark;
}

/** @param {Row} row */
function modelOf(row) {
  if (!row.model) return make("span");
  const { text, says, title, has_map } = row.model;
  const tip = has_map ? `${title} Rest here, or hold M, to see where it looked.` : title;
  return make("span", { class: `model ${says}`, text, title: tip, testid: `model-${row.key}`, "data-map": has_map && row.key });
}

/** @param {Row} row @param {boolean} isActive only then the Tab key stops here */
function reportOf(row, isActive) {
  if (!row.report) return make("span");
  const { state, title, evidence } = row.report;
  return make("button", {
    class: "sign",
    type: "button",
    text: SIGNS[state] ?? "",
    title,
    testid: `report-${row.key}`,
    "data-evidence": evidence || null,
    tabindex: isActive ? 0 : -1,
  });
}

/** The reader's word: one of three, and pressed again, none. @param {Row} row @param {Parameters<typeof lineOf>[1]} now */
function wordsOf(row, now) {
  const buttons = Object.entries(SIGNS).map(([state, sign]) => {
    const isSaid = now.told?.state === state;
    const others = row.voices.filter((voice) => voice.is_reader && voice.state === state).map((voice) => voice.who);
    const button = make("button", {
      class: ["word", isSaid && "said", isSaid && now.told?.unsaved, !isSaid && others.length && "theirs"].filter(Boolean).join(" "),
      type: "button",
      text: sign,
      testid: `say-${row.key}-${state}`,
      title: [isSaid ? tooltip("unassessed") : tooltip(state), others.length && `${others.join(", ")} said so`].filter(Boolean).join("\n"),
      "aria-label": `${row.name}: ${state}`,
      tabindex: now.isActive ? 0 : -1,
      "aria-pressed": isSaid ? "true" : "false",
    });
    button.addEventListener("click", () => now.say({ state: /** @type {any} */ (isSaid ? "unassessed" : state) }));
    return button;
  });
  return make("span", { class: "words", role: "group", "aria-label": `What I say of ${row.name}` }, buttons);
}

/** @param {Row} row @param {Told | null} told @param {(word: Change) => void} say @returns {HTMLElement | null} */
export function placeOf(row, told, say) {
  const isSomewhere = told?.state === "present" || told?.state === "uncertain";
  if (!told || !isSomewhere || !(row.has_side || row.has_zone)) return null;
  /** @param {"side" | "zone"} what @param {string[]} places */
  const choice = (what, places) =>
    make("span", { class: "choice", role: "group", "aria-label": what }, places.map((place) => {
      const isSaid = told[what] === place;
      const button = make("button", {
        class: isSaid ? "place said" : "place",
        type: "button",
        text: place,
        title: tooltip(what),
        testid: `${what}-${place}`,
        "aria-pressed": isSaid ? "true" : "false",
      });
      button.addEventListener("click", () => say({ [what]: isSaid ? null : place }));
      return button;
    }));
  return make("div", { class: "where", testid: "where" }, [
    row.has_side ? choice("side", SIDES) : null,
    row.has_zone ? choice("zone", ZONES) : null,
  ]);
}
