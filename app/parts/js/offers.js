/**
 * The answers to a suggestion, beneath the finding it speaks of.
 *
 * @typedef {{id: number, says: string}} Offer
 */

import { tooltip } from "../../mask_editor/js/keys.js";
import { make } from "../../mask_editor/js/make.js";

export class Offers {
  /**
   * @param {(answer: {answer: "accept" | "correct" | "reject", prediction: number, reason: string}) => void} send
   * @param {() => void} redraw
   */
  constructor(send, redraw) {
    this.send = send;
    this.redraw = redraw;
    this.isAsking = false;
    /** What was typed so far; the panel may be drawn anew meanwhile. */
    this.typed = "";
  }

  stopAsking() {
    this.isAsking = false;
  }

  /** @param {boolean} isAsking for a reason */
  turn(isAsking) {
    this.isAsking = isAsking;
    this.typed = "";
    this.redraw();
  }

  /** @param {Offer} offer @param {string[]} reasons @returns {HTMLElement} */
  show(offer, reasons) {
    const says = make("span", { class: "says", text: offer.says });
    if (this.isAsking) return make("div", { class: "answers" }, [says, ...this.reasons(offer, reasons)]);
    /** @param {"accept" | "correct" | "reject"} id @param {string} text @param {string} key @param {() => void} run */
    const button = (id, text, key, run) => {
      const element = make("button", { class: "answer", type: "button", testid: `panel-${id}`, title: tooltip(id) }, [
        make("span", { text }),
        make("kbd", { text: key }),
      ]);
      element.addEventListener("click", run);
      return element;
    };
    return make("div", { class: "answers" }, [
      says,
      button("accept", "Accept", "A", () => this.answer("accept", offer)),
      button("correct", "Correct", "T", () => this.answer("correct", offer)),
      button("reject", "Reject", "X", () => this.turn(true)),
    ]);
  }

  /** @param {"accept" | "correct" | "reject"} answer @param {Offer} offer @param {string} [reason] */
  answer(answer, offer, reason = "") {
    this.send({ answer, prediction: offer.id, reason });
  }

  /** @param {Offer} offer @param {string[]} reasons */
  reasons(offer, reasons) {
    const say = (/** @type {string} */ reason) => {
      if (!reason.trim()) return;
      this.answer("reject", offer, reason);
      this.turn(false);
    };
    const chips = reasons.map((reason) => {
      const chip = make("button", { class: "answer", type: "button", text: reason });
      chip.addEventListener("click", () => say(reason));
      return chip;
    });
    const words = make("input", { type: "text", placeholder: "or in your words, then Enter", testid: "panel-reason", "aria-label": "Why it is rejected" });
    words.value = this.typed;
    words.addEventListener("input", () => (this.typed = words.value));
    words.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") say(words.value);
      if (event.key === "Escape") this.turn(false);
    });
    return [...chips, words];
  }
}
