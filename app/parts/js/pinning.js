/**
 * The card on which one error is described: what is wrong, how much it matters, and what should stand there.
 *
 * @typedef {{section: string, start: number, end: number, words: string}} Passage
 * @typedef {object} ReportError
 * @property {string} kind @property {boolean} significant @property {number} severity
 * @property {Passage | null} passage @property {string} replacement @property {string} stated @property {string} true
 */

import { make } from "../../mask_editor/js/make.js";
import { choice } from "./rating.js";

const STANDING = ["false finding", "wrong location", "wrong severity", "false comparison"];
const MISSING = ["omission", "missed comparison"];
const SEVERITIES = ["cosmetic", "minor", "moderate", "serious", "dangerous"];

/**
 * @param {Passage | null} passage that was marked, null for what is missing
 * @param {(error: ReportError) => void} done @param {() => void} leave
 * @returns {HTMLElement}
 */
export function pinningCard(passage, done, leave) {
  const error = { kind: "", significant: true, severity: 3, passage, replacement: "", stated: "", true: "" };
  const kinds = passage ? STANDING : MISSING;
  const field = (/** @type {"replacement" | "stated" | "true"} */ name, /** @type {string} */ hint) => {
    const input = make("input", { type: "text", placeholder: hint, "aria-label": hint, testid: `pin-${name}` });
    input.addEventListener("input", () => (error[name] = input.value));
    return input;
  };
  const replacement = field("replacement", passage ? "What should stand there (may be left empty)" : "What is missing");
  const regions = make("div", { class: "regions", hidden: true }, [
    field("stated", "Location that the report states"),
    field("true", "True location"),
  ]);
  const choices = (
    /** @type {string} */ name,
    /** @type {[string, any][]} */ options,
    /** @type {(value: any) => void} */ take,
    /** @type {any} */ first,
  ) => {
    const buttons = options.map(([words, value]) => {
      const button = make("button", { type: "button", class: "choice", text: words, "aria-pressed": String(value === first) });
      button.addEventListener("click", () => {
        for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
        take(value);
        check();
      });
      return button;
    });
    return make("div", { class: "choices", role: "group", "aria-label": name }, buttons);
  };
  const pin = make("button", { type: "button", class: "primary", text: "Pin", disabled: true, testid: "pin-done" });
  const check = () => {
    const isPlaced = error.kind !== "wrong location" || (error.stated.trim() !== "" && error.true.trim() !== "");
    regions.hidden = error.kind !== "wrong location";
    pin.disabled = error.kind === "" || !isPlaced || (!passage && error.replacement.trim() === "");
  };
  pin.addEventListener("click", () => done(error));
  const cancel = make("button", { type: "button", class: "choice", text: "Cancel", title: "Esc" });
  cancel.addEventListener("click", leave);
  const card = make("div", { class: "pinning", role: "group", "aria-label": "An error", testid: "pinning" }, [
    make("div", { class: "faint", text: passage ? `“${passage.words}”` : "What the report leaves out" }),
    choices("Category", kinds.map((kind) => [kind, kind]), (kind) => (error.kind = kind), ""),
    choices("Significance", [["significant", true], ["not significant", false]], (value) => (error.significant = value), true),
    choices("Severity", SEVERITIES.map((words, at) => [`${at + 1} ${words}`, at + 1]), (value) => (error.severity = value), 3),
    regions,
    replacement,
    make("div", { class: "choices" }, [pin, cancel]),
  ]);
  card.addEventListener("input", check);
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && !pin.disabled && event.composedPath()[0] instanceof HTMLInputElement) done(error);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return card;
}

/** One error in the list of those that are pinned. @param {ReportError} error @param {number} at
 * @param {boolean} isStale whether its words were changed since @param {() => void} takeBack */
export function pinnedError(error, at, isStale, takeBack) {
  const remove = choice("Remove", "Take this error back", takeBack);
  const about = [error.passage ? `“${error.passage.words}”` : "", error.kind, SEVERITIES[error.severity - 1], error.significant ? "" : "not significant", isStale ? "its words were changed" : ""];
  const should = error.kind === "wrong location" ? `${error.stated} → ${error.true}` : error.replacement;
  return make("li", { testid: `error-${at}` }, [
    make("i", { class: `dot grave-${error.severity}` }),
    make("span", { text: about.filter(Boolean).join(" · ") }),
    should ? make("span", { class: "faint", text: should }) : null,
    remove,
  ]);
}
