/**
 * The card of a screen's keys, opened by "?" or the button that shows it. On the review screen the editor has the card.
 *
 * @typedef {{key: string, says: string}} Key
 */

import { make } from "../../mask_editor/js/make.js";
import { isTyping, press, rootOf } from "./dom.js";

/** @type {WeakMap<Node, KeyCard>} */
const cards = new WeakMap();

class KeyCard {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "keycard");
    this.leaving = new AbortController();
    this.button = make("button", { class: "ask", type: "button", text: "?", title: "Keys  ·  ?", "aria-label": "Keys", testid: "keys" });
    this.button.addEventListener("click", () => this.toggle());
    this.list = make("dl", {});
    this.veil = make("div", { class: "veil", hidden: true }, [
      make("div", { class: "card", role: "dialog", "aria-label": "Keys", testid: "key-card" }, [make("b", { text: "Keys" }), this.list]),
    ]);
    this.veil.addEventListener("click", () => (this.veil.hidden = true));
    this.root.append(this.button, this.veil);
    addEventListener("keydown", (event) => this.onKey(event), { signal: this.leaving.signal });
  }

  /** @param {any} data */
  update(data) {
    this.data = data;
    this.list.replaceChildren(
      ...data.keys.flatMap((/** @type {Key} */ each) => [
        make("dt", {}, [make("kbd", { text: each.key })]),
        make("dd", { text: each.says }),
      ]),
    );
  }

  toggle() {
    if (this.data.isEditors) press("?", "Slash");
    else this.veil.hidden = !this.veil.hidden;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.root.isConnected || isTyping(event) || this.data.isEditors) return;
    if (event.key === "Escape") this.veil.hidden = true;
    if (event.key === "?") this.toggle();
  }
}

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement }) {
  const card = cards.get(parentElement) ?? new KeyCard(parentElement);
  cards.set(parentElement, card);
  card.update(data);
  return () => {
    setTimeout(() => {
      if (card.root.isConnected) return;
      card.leaving.abort();
      cards.delete(parentElement);
    });
  };
}
