/**
 * The report in its sections. A click on a sentence asks the model for a mask of what it says; the pointer on one shows
 * in the findings panel what the labeler heard in it, and the panel shows here the sentence that a sign comes from.
 *
 * @typedef {object} Sentence
 * @property {number} index @property {string} text @property {string} finding @property {string} colour
 * @property {string} heard what the labeler heard, in words @property {string[]} keys of the findings it heard
 * @typedef {{name: string, text: string, sentences: Sentence[]}} Section
 */

import { make } from "../../mask_editor/js/make.js";
import { hear, tell } from "../../mask_editor/js/telling.js";
import { rootOf } from "./dom.js";

/** @type {WeakMap<Node, Report>} */
const reports = new WeakMap();

class Report {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "report");
    this.shape = "";
    this.clicks = 0;
    this.stays = "";
    this.leaving = new AbortController();
    hear("evidence", (shown) => this.show(shown), this.leaving.signal);
    this.root.addEventListener("pointerover", (event) => this.pointAt(event.target));
    this.root.addEventListener("pointerleave", () => this.pointAt(null));
  }

  /** @param {any} component */
  update({ data, setStateValue }) {
    this.send = setStateValue;
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    if (this.data?.study !== data.study) this.stays = "";
    this.shape = shape;
    this.data = data;
    this.root.replaceChildren(
      ...data.sections.map((/** @type {Section} */ section) =>
        make("section", { class: section.sentences.length ? "" : "aside" }, [
          make("h4", { text: section.name }),
          section.sentences.length
            ? make("div", { class: "sentences" }, section.sentences.map((sentence) => this.passage(sentence)))
            : make("p", { text: section.text }),
        ]),
      ),
    );
    this.mark(this.stays);
  }

  /** @param {Sentence} sentence @returns {HTMLElement} */
  passage(sentence) {
    const { data } = this;
    const saysNothing = !/\p{L}/u.test(sentence.text);
    const about = { testid: `sentence-${sentence.index}`, "data-text": sentence.text, "data-keys": sentence.keys.join(" ") };
    if (!data.canAsk || saysNothing) {
      return make("span", { class: "sentence", text: `${sentence.text} `, title: sentence.heard || null, ...about });
    }
    const ask = sentence.finding ? `Ask the model to mark: ${sentence.finding}` : "Ask the model to mark the finding in hand";
    const button = make("button", {
      class: sentence.index === data.asked ? "sentence asked" : "sentence",
      type: "button",
      text: sentence.text,
      title: [sentence.heard, ask].filter(Boolean).join("\n"),
      ...about,
    });
    if (sentence.finding) button.style.setProperty("--finding", sentence.colour);
    button.classList.toggle("known", Boolean(sentence.finding));
    button.addEventListener("click", (event) => {
      if (event.detail > 0) button.blur();
      this.clicks++;
      // A value and no trigger, which is lost when another interaction follows; numbered, to ask the same once more.
      this.send?.("ask", { study: data.study, sentence: sentence.index, click: `${Date.now()}-${this.clicks}` });
    });
    return button;
  }

  /** @param {EventTarget | null} target */
  pointAt(target) {
    const keys = (target instanceof HTMLElement && target.closest("[data-keys]")?.getAttribute("data-keys")) || "";
    tell("spoken", { findings: keys ? keys.split(" ") : [] });
  }

  /** @param {{sentence: string, stays: boolean}} shown */
  show({ sentence, stays }) {
    if (stays) this.stays = sentence === this.stays ? "" : sentence;
    this.mark(sentence || this.stays);
  }

  /** Light up the sentences that are this evidence. @param {string} evidence */
  mark(evidence) {
    const bare = (/** @type {string} */ text) => text.replace(/\s+/g, " ").trim();
    let isSeen = false;
    for (const passage of this.root.querySelectorAll("[data-text]")) {
      const text = bare(passage.getAttribute("data-text") ?? "");
      const isIt = evidence !== "" && (text === bare(evidence) || text.includes(bare(evidence)));
      passage.classList.toggle("evidence", isIt);
      if (isIt && !isSeen) passage.scrollIntoView({ block: "nearest" });
      isSeen ||= isIt;
    }
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const report = reports.get(parent) ?? new Report(parent);
  reports.set(parent, report);
  report.update(component);
  return () => {
    setTimeout(() => {
      if (report.root.isConnected) return;
      report.leaving.abort();
      reports.delete(parent);
    });
  };
}
