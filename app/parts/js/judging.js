/**
 * A draft report beside its films. The pointer on a sentence shows where the model looked; words that are marked can be
 * pinned as an error; a sentence is rewritten where it stands; two ratings and Enter, and the report is judged. All that
 * is said is saved as it is said.
 *
 * @typedef {import("./pinning.js").ReportError} ReportError
 * @typedef {import("./linking.js").Grounding} Grounding
 * @typedef {{image: number, map: number[][]}} Gaze
 * @typedef {{section: string, text: string, start: number, heard: string, gaze: Gaze[]}} Sentence
 * @typedef {{errors: ReportError[], quality: {overall: number, would_sign: number} | null, corrected: Record<string, string>, groundings: Grounding[]}} Said
 */

import { make } from "../../mask_editor/js/make.js";
import { isTyping, rootOf } from "./dom.js";
import { Keeping } from "./keeping.js";
import { Films, linkingCard } from "./linking.js";
import { marked, markedPassage } from "./passages.js";
import { pinnedError, pinningCard } from "./pinning.js";
import { choice, likert } from "./rating.js";
import { rewrite } from "./rewriting.js";

/** @type {WeakMap<Node, Judging>} */
const desks = new WeakMap();

class Judging {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "judging");
    this.sheet = "";
    this.said = /** @type {Said} */ ({ errors: [], quality: null, corrected: {}, groundings: [] });
    this.standing = /** @type {({start: number, end: number, standing: string} | null)[]} */ ([]);
    this.loose = /** @type {{sentences: [string, number][], masks: string[]}} */ ({ sentences: [], masks: [] });
    this.hand = /** @type {{section: string, sentence: number} | null} */ (null);
    this.isLeaving = false;
    this.leaving = new AbortController();
    this.state = make("span", { class: "faint", role: "status", testid: "judging-saved" });
    this.problem = make("div", { class: "problem", role: "alert", testid: "judging-problem", hidden: true });
    this.keeping = new Keeping((state) => this.tell(state));
    this.films = new Films(this.root, (patch) => this.link((old) => ({ ...old, patches: [...old.patches, patch] })));
    this.left = make("div", { class: "faint", testid: "judging-loose" });
    this.report = make("div", { class: "written" });
    this.card = make("div");
    this.errors = make("ol", { class: "errors", "aria-label": "Errors" });
    this.ratings = make("div", { class: "ratings" });
    this.root.replaceChildren(
      this.films.element,
      make("div", { class: "side" }, [this.report, this.card, this.errors, this.ratings, this.left, this.problem, this.state]),
      this.films.threads,
    );
    addEventListener("keydown", (event) => this.onKey(event), { signal: this.leaving.signal });
    this.report.addEventListener("pointerup", () => setTimeout(() => this.pinMarked()));
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.done = (/** @type {number} */ study) => setTriggerValue("done", study);
    this.keeping.configure(data);
    if (data.sheet === this.sheet) return;
    this.sheet = data.sheet;
    this.data = data;
    this.said = data.said;
    this.standing = data.standing;
    this.loose = data.loose;
    this.hand = null;
    this.isLeaving = false;
    this.films.show(data.films, data.masks);
    this.showLinking();
    this.draw();
  }

  draw() {
    const sections = [...new Set(this.data.sentences.map((/** @type {Sentence} */ each) => each.section))];
    this.report.replaceChildren(...sections.map((section) => this.section(String(section))));
    this.errors.replaceChildren(...this.said.errors.map((error, at) =>
      pinnedError(error, at, this.standing[at]?.standing === "stale", () =>
        this.say({ errors: this.said.errors.filter((_, place) => place !== at) }),
      ),
    ));
    const rate = (/** @type {{overall?: number, would_sign?: number}} */ change) => this.rate(change);
    this.ratings.replaceChildren(
      likert("Overall", "overall", "1 to 5", this.said.quality, rate),
      likert("Would sign", "would_sign", "Shift 1 to 5", this.said.quality, rate),
      make("div", { class: "choices" }, [
        choice("Clean", "G: nothing is wrong, 5 and 5", () => this.rate({ overall: 5, would_sign: 5 })),
        choice("Left out", "O: something is missing", () => this.pin(null)),
        choice("Submit", "Enter", () => this.submit(), "primary"),
      ]),
    );
    this.tellLoose();
    this.lookAtHand();
  }

  /** What is left to link, in words. */
  tellLoose() {
    const { sentences, masks } = this.loose;
    const names = masks.map((sha) => this.data.masks.find((/** @type {any} */ each) => each.sha === sha)?.name).filter(Boolean);
    const told = [
      sentences.length ? `Linked to no place though they find something: ${sentences.length} of the sentences.` : "",
      names.length ? `No sentence is linked to the mask of ${names.join(", ")}.` : "",
    ];
    this.left.textContent = told.filter(Boolean).join(" ");
  }

  /** @param {string} section */
  section(section) {
    const sentences = this.sentencesOf(section);
    const corrected = this.said.corrected[section];
    const heading = make("h4", { text: section });
    if (corrected !== undefined) {
      const text = make("p", { class: "changed", testid: `corrected-${section}`, title: "Double-click to edit" });
      text.append(...marked(corrected, 0, this.standingIn(section)));
      text.addEventListener("dblclick", () => rewrite(text, corrected, (words) => this.correct(section, words), () => this.draw()));
      const back = choice("As it was written", "Take the correction of this section back", () => this.correct(section, null));
      return make("section", {}, [heading, text, back]);
    }
    return make("section", { "data-section": section }, [
      heading,
      make("p", {}, sentences.flatMap((/** @type {Sentence} */ each, /** @type {number} */ at) => [
        this.sentence(each, at, sentences),
        this.linker(each, at),
        document.createTextNode(" "),
      ])),
    ]);
  }

  /** Where the errors pinned in a section stand in its corrected text, as the server follows them. @param {string} section */
  standingIn(section) {
    return this.said.errors.flatMap((error, at) => {
      const there = error.passage?.section === section ? this.standing[at] : null;
      return there ? [{ ...there, severity: error.severity }] : [];
    });
  }

  /** @param {Sentence} sentence @param {number} at @param {Sentence[]} all */
  sentence(sentence, at, all) {
    const shown = make("span", { class: "sentence", "data-start": sentence.start, testid: `written-${sentence.section}-${at}`, title: sentence.heard || null });
    const places = this.said.errors.map(({ passage, severity }) => (passage ? { ...passage, severity } : null));
    shown.append(...marked(sentence.text, sentence.start, places.filter((place) => place?.section === sentence.section)));
    const own = () => this.groundingOf(sentence.section, at);
    shown.addEventListener("pointerenter", () => this.films.look(sentence.gaze, own(), shown));
    shown.addEventListener("pointerleave", () => this.lookAtHand());
    shown.addEventListener("dblclick", () => {
      getSelection()?.removeAllRanges();
      this.card.replaceChildren();
      const take = (/** @type {string} */ words) => {
        const lines = all.map((each) => (each === sentence ? words : each.text)).filter((line) => line.trim() !== "");
        this.correct(sentence.section, lines.join(" "));
      };
      rewrite(shown, sentence.text, take, () => this.draw());
    });
    return shown;
  }

  /** The button behind a sentence that takes it in hand, to be linked to places. @param {Sentence} sentence @param {number} at */
  linker({ section }, at) {
    const own = this.groundingOf(section, at);
    const places = own ? own.patches.length + own.masks.length : 0;
    const isLoose = this.loose.sentences.some(([name, place]) => name === section && place === at);
    const isHeld = this.hand?.section === section && this.hand.sentence === at;
    const button = make("button", {
      type: "button",
      class: isLoose ? "linker loose" : "linker",
      text: places ? String(places) : "+",
      title: isLoose ? "This sentence finds something: link it to where that is" : "Link this sentence to places on the films",
      "aria-pressed": String(isHeld),
      testid: `link-${section}-${at}`,
    });
    button.addEventListener("click", () => {
      this.hand = isHeld ? null : { section, sentence: at };
      this.draw();
      this.showLinking();
    });
    return button;
  }

  /** @param {string} section @param {number} sentence @returns {Grounding | null} */
  groundingOf(section, sentence) {
    return this.said.groundings.find((each) => each.section === section && each.sentence === sentence) ?? null;
  }

  /** What a sentence in hand is linked to so far. @param {{section: string, sentence: number}} hand @returns {Grounding} */
  held(hand) {
    return this.groundingOf(hand.section, hand.sentence) ?? { ...hand, patches: [], masks: [] };
  }

  /** Change what the sentence in hand is linked to. @param {(old: Grounding) => Grounding} change */
  link(change) {
    if (!this.hand) return;
    const old = this.held(this.hand);
    const rest = this.said.groundings.filter((each) => each !== old);
    const now = change(old);
    this.say({ groundings: now.patches.length + now.masks.length ? [...rest, now] : rest });
    this.showLinking();
  }

  showLinking() {
    this.films.isDrawing = this.hand !== null;
    this.films.element.classList.toggle("drawing", this.hand !== null);
    if (!this.hand) return this.card.replaceChildren();
    const { section, sentence } = this.hand;
    const words = this.sentencesOf(section)[sentence].text;
    const own = this.held(this.hand);
    const leave = () => this.letGo();
    this.card.replaceChildren(linkingCard(words, own, this.data.masks, (grounding) => this.link(() => grounding), leave));
  }

  letGo() {
    this.hand = null;
    this.showLinking();
    this.draw();
  }

  /** Nothing is pointed at: what the sentence in hand is linked to stays in sight. */
  lookAtHand() {
    if (!this.hand) return this.films.look([], null, null);
    const { section, sentence } = this.hand;
    const shown = this.report.querySelector(`[data-testid="written-${section}-${sentence}"]`);
    this.films.look([], this.groundingOf(section, sentence), shown);
  }

  /** @param {string} section @param {string | null} words null takes a correction back */
  correct(section, words) {
    const corrected = { ...this.said.corrected };
    if (words === null || words === this.textOf(section)) delete corrected[section];
    else corrected[section] = words;
    this.say({ corrected });
  }

  pinMarked() {
    const passage = markedPassage(this.root, (section) => this.textOf(section));
    if (passage) this.pin(passage);
  }

  /** @param {string} section @returns {Sentence[]} */
  sentencesOf(section) {
    return this.data.sentences.filter((/** @type {Sentence} */ each) => each.section === section);
  }

  /** As it was written. @param {string} section */
  textOf(section) {
    return this.sentencesOf(section).map((each) => each.text).join(" ");
  }

  /** @param {import("./pinning.js").Passage | null} passage */
  pin(passage) {
    if (this.hand) this.letGo();
    const leave = () => this.card.replaceChildren();
    const done = (/** @type {ReportError} */ error) => {
      leave();
      this.say({ errors: [...this.said.errors, error] });
    };
    this.card.replaceChildren(pinningCard(passage, done, leave));
    const first = this.card.querySelector("button");
    if (first instanceof HTMLElement) first.focus();
  }

  /** One rating alone is not enough to be told to the server: until both are there, the page keeps it.
   * @param {{overall?: number, would_sign?: number}} change */
  rate(change) {
    const quality = /** @type {any} */ ({ ...this.said.quality, ...change });
    this.said = { ...this.said, quality };
    if (quality.overall && quality.would_sign) this.say({});
    else this.draw();
  }

  /** @param {Partial<Said>} change */
  say(change) {
    this.said = { ...this.said, ...change };
    const { quality } = this.said;
    this.keeping.save({ ...this.said, quality: quality?.overall && quality?.would_sign ? quality : null });
    this.draw();
  }

  async submit() {
    if (this.isLeaving) return;
    const { quality } = this.said;
    if (!quality?.overall || !quality?.would_sign) {
      this.tell({ saved: "", problem: "Say how good the report is (1 to 5), and whether you would sign it (Shift 1 to 5)." });
      return;
    }
    this.isLeaving = true;
    if (await this.keeping.submit()) this.done?.(this.data.study);
    else this.isLeaving = false;
  }

  /** @param {{saved: string, problem: string, seen?: {standing: any[], loose: any}}} state */
  tell({ saved, problem, seen }) {
    if (seen && JSON.stringify([seen.standing, seen.loose]) !== JSON.stringify([this.standing, this.loose])) {
      this.standing = seen.standing;
      this.loose = seen.loose;
      if (!this.report.querySelector("textarea")) this.draw();
    }
    if (saved) {
      this.state.textContent = `Draft saved ${new Date(saved).toLocaleTimeString("en-GB")}`;
      this.state.dataset.saved = saved;
    } else if (!problem) {
      this.state.textContent = "";
    }
    this.problem.textContent = problem;
    this.problem.hidden = problem === "";
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event)) return;
    if (!this.root.isConnected || document.querySelector("[role=dialog]")) return;
    const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code);
    const target = event.composedPath()[0];
    const isOnButton = target instanceof HTMLElement && /^(BUTTON|A)$/.test(target.tagName);
    if (digit) this.rate({ [event.shiftKey ? "would_sign" : "overall"]: Number(digit[1]) });
    else if (event.key === "g" || event.key === "G") this.rate({ overall: 5, would_sign: 5 });
    else if (event.key === "o" || event.key === "O") this.pin(null);
    else if (event.key === "Escape") this.hand ? this.letGo() : this.card.replaceChildren();
    else if (event.key === "Enter" && !isOnButton) this.submit();
    else return;
    event.preventDefault();
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const desk = desks.get(parent) ?? new Judging(parent);
  desks.set(parent, desk);
  desk.update(component);
  return () => {
    setTimeout(() => {
      if (desk.root.isConnected) return;
      desk.leaving.abort();
      desks.delete(parent);
    });
  };
}
