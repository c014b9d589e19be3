/** What lies over the film for a while: the key card, notices, the suggestion that waits for an answer. */

import { COMMANDS, tooltip } from "./keys.js";
import { make } from "./make.js";

/** The card of all keys. */
export class HelpCard {
  constructor() {
    const groups = ["Draw", "Suggestion", "See", "Study", "Findings"].map((name) =>
      make("section", {}, [
        make("h3", { text: name }),
        make(
          "dl",
          {},
          COMMANDS.filter((each) => each.group === name).flatMap((each) => [
            make("dt", {}, [make("kbd", { text: each.keys })]),
            make("dd", { text: each.says }),
          ]),
        ),
      ]),
    );
    this.close = make("button", { class: "quiet", type: "button", text: "Close", testid: "editor-help-close" });
    this.card = make("div", { class: "card", role: "dialog", "aria-modal": "true", "aria-label": "Keys", testid: "editor-help-card" }, [
      make("div", { class: "title" }, [make("h2", { text: "Keys" }), this.close]),
      make("div", { class: "groups" }, groups),
    ]);
    this.element = make("div", { class: "veil", hidden: true }, [this.card]);
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.hide();
    });
    this.close.addEventListener("click", () => this.hide());
    this.onClosed = () => {};
  }

  get isOpen() {
    return !this.element.hidden;
  }

  toggle() {
    if (this.isOpen) {
      this.hide();
      return;
    }
    this.element.hidden = false;
    this.close.focus();
  }

  hide() {
    this.element.hidden = true;
    this.onClosed();
  }
}

/** Sentences for the reader. They never cover the middle of the film and never wait for an answer. */
export class Notices {
  constructor() {
    this.element = make("div", { class: "notices", role: "status", "aria-live": "polite", testid: "editor-notices" });
    /** @type {Map<string, {element: HTMLElement, timer: number}>} */
    this.shown = new Map();
  }

  /**
   * @param {string} subject a newer notice on the same subject takes the place of the older
   * @param {string} sentence
   * @param {{actions?: {says: string, run: () => void}[], lasts?: number}} [options] lasts: ms; without it, until dismissed
   */
  show(subject, sentence, { actions = [], lasts = 0 } = {}) {
    this.dismiss(subject);
    const dismiss = make("button", { class: "quiet", type: "button", "aria-label": "Dismiss", text: "Dismiss" });
    dismiss.addEventListener("click", () => this.dismiss(subject));
    const element = make("div", { class: "notice", testid: `editor-notice-${subject}` }, [
      make("span", { text: sentence }),
      ...actions.map(({ says, run }) => {
        const button = make("button", { class: "quiet", type: "button", text: says });
        button.addEventListener("click", () => {
          this.dismiss(subject);
          run();
        });
        return button;
      }),
      lasts ? null : dismiss,
    ]);
    this.element.append(element);
    const timer = lasts ? setTimeout(() => this.dismiss(subject), lasts) : 0;
    this.shown.set(subject, { element, timer });
  }

  /** @param {string} subject */
  dismiss(subject) {
    const notice = this.shown.get(subject);
    if (!notice) return;
    clearTimeout(notice.timer);
    notice.element.remove();
    this.shown.delete(subject);
  }

  clear() {
    for (const subject of [...this.shown.keys()]) this.dismiss(subject);
  }
}

/** The suggestion in question: take it, take it over, or turn it down with a reason. */
export class SuggestionBar {
  /** @param {(id: string) => void} run @param {(reason: string) => void} reject */
  constructor(run, reject) {
    this.dot = make("span", { class: "dot" });
    this.name = make("span", { class: "name" });
    this.model = make("span", { class: "model" });
    /** @param {string} id @param {string} says @param {string} key */
    const button = (id, says, key) => {
      const element = make("button", { class: "quiet", type: "button", testid: `editor-${id}`, "aria-keyshortcuts": key, "data-tip": tooltip(id) }, [
        make("span", { text: says }),
        make("kbd", { text: key }),
      ]);
      element.addEventListener("click", () => run(id));
      return element;
    };
    this.answers = make("div", { class: "answers" }, [
      button("accept", "Accept", "A"),
      button("correct", "Correct", "T"),
      button("reject", "Reject", "X"),
    ]);
    this.reasons = make("div", { class: "reasons", role: "group", "aria-label": "Why is it rejected?", hidden: true });
    this.element = make("div", { class: "suggestion", testid: "editor-suggestion", hidden: true }, [
      this.dot,
      this.name,
      this.model,
      this.answers,
      this.reasons,
    ]);
    this.reject = reject;
    this.isWanted = true;
  }

  get isAsking() {
    return !this.reasons.hidden;
  }

  /**
   * @param {import("./layers.js").Suggestion | null} suggestion @param {number} others how many more wait
   * @param {boolean} isWanted else it comes up only to ask for a reason
   */
  show(suggestion, others, isWanted) {
    this.isWanted = isWanted;
    this.element.hidden = suggestion === null || !(isWanted || this.isAsking);
    if (!suggestion) {
      this.ask([]);
      return;
    }
    this.dot.style.setProperty("--finding", suggestion.colour);
    this.name.textContent = suggestion.name;
    const more = others ? `, ${others} more` : "";
    const nothing = suggestion.maskSha ? "" : ", nothing seen";
    this.model.textContent = suggestion.failure || `suggested by ${suggestion.model}${nothing}${more}`;
  }

  /** @param {string[]} reasons empty: stop asking */
  ask(reasons) {
    const isAsking = reasons.length > 0;
    if (isAsking || !this.isWanted) this.element.hidden = !isAsking;
    this.answers.hidden = isAsking;
    this.model.hidden = isAsking;
    this.reasons.hidden = !isAsking;
    this.reasons.replaceChildren(
      make("span", { class: "why", text: "rejected because" }),
      ...reasons.map((reason, i) => {
        const button = make("button", { class: "quiet", type: "button", testid: `editor-reason-${i}` }, [
          make("span", { text: reason }),
          i < 9 ? make("kbd", { text: String(i + 1) }) : null,
        ]);
        button.addEventListener("click", () => this.reject(reason));
        return button;
      }),
    );
  }
}
