/**
 * Studies that were found. A click or Enter opens one, the arrow keys walk, and every card is a link, so that a study can
 * be opened in a tab of its own; down leads to them from the box above. Under the pointer, and on the card that has the
 * focus, lies what on the film answered; M held shows it on all.
 *
 * @typedef {{name: string, sign: string, source: string, colour: string}} Chip
 * @typedef {object} Card
 * @property {number} id @property {string} href @property {string} film @property {number} shape
 * @property {number[][]} map @property {string} title @property {string} detail @property {Chip[]} chips
 * @property {string} line @property {string} nearness
 */

import { make } from "../../mask_editor/js/make.js";
import { isTyping, rootOf } from "./dom.js";
import { warmth } from "./warmth.js";

const MOST_CHIPS = 5;

/** @type {WeakMap<Node, Hits>} */
const grids = new WeakMap();

class Hits {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "hits");
    this.shape = "";
    this.send = (/** @type {number} */ _id) => {};
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    addEventListener("keydown", (event) => this.onKey(event), { signal });
    addEventListener("keyup", (event) => this.showMaps(event, false), { signal });
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.send = (id) => setTriggerValue("open", id);
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    this.shape = shape;
    this.root.classList.toggle("narrow", data.narrow);
    this.root.setAttribute("role", "list");
    this.root.setAttribute("aria-label", "Studies found");
    this.root.replaceChildren(...data.cards.map((/** @type {Card} */ card) => this.card(card)));
  }

  /** @param {Card} card */
  card(card) {
    const film = make("span", { class: "film" }, [
      make("img", { src: card.film, alt: "", loading: "lazy", decoding: "async", draggable: "false" }),
      card.map.length ? warmth(card.map) : null,
    ]);
    film.style.setProperty("--shape", String(card.shape));
    const chips = card.chips.slice(0, MOST_CHIPS).map(chip);
    const more = card.chips.length - MOST_CHIPS;
    const link = make("a", { class: "card", href: card.href, testid: `hit-${card.id}` }, [
      film,
      make("span", { class: "head" }, [make("b", { text: card.title }), make("span", { class: "faint", text: card.nearness, title: "Cosine of what the model makes of both, from -1 to 1" })]),
      make("small", { class: "faint", text: card.detail }),
      make("span", { class: "chips" }, [...chips, more > 0 ? make("span", { class: "faint", text: `+${more}` }) : null, sources(card.chips)]),
      card.line ? make("span", { class: "line", text: card.line, title: card.line }) : null,
    ]);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.send(card.id);
    });
    return make("span", { role: "listitem" }, [link]);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event) && !leavesTheBox(event)) return;
    if (!this.root.isConnected || document.querySelector("[role=dialog]")) return;
    this.showMaps(event, true);
    if (event.key === "/" && !this.root.classList.contains("narrow")) return this.toBox(event);
    const links = [...this.root.querySelectorAll("a.card")].filter((link) => link instanceof HTMLElement);
    const scope = /** @type {ShadowRoot} */ (this.root.getRootNode());
    const here = links.findIndex((link) => link === scope.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns(links), ArrowUp: -this.columns(links) }[event.key];
    // In the column beside a film the arrows are the film's own until a card has the focus.
    if (!step || (here < 0 && this.root.classList.contains("narrow"))) return;
    const next = links[here < 0 ? 0 : here + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  toBox(event) {
    const box = document.querySelector("[data-testid=stChatInputTextArea]");
    if (!(box instanceof HTMLElement) || isTyping(event)) return;
    event.preventDefault();
    box.focus();
  }

  /** @param {HTMLElement[]} links */
  columns(links) {
    const top = links[0]?.getBoundingClientRect().top;
    return Math.max(1, links.filter((link) => link.getBoundingClientRect().top === top).length);
  }

  /** @param {KeyboardEvent} event @param {boolean} are */
  showMaps(event, are) {
    if (event.key.toLowerCase() === "m" && !this.root.classList.contains("narrow")) this.root.classList.toggle("mapped", are);
  }
}

/** Down at the end of what was typed goes on to what was found. @param {KeyboardEvent} event */
function leavesTheBox(event) {
  const box = event.composedPath()[0];
  return event.key === "ArrowDown" && box instanceof HTMLTextAreaElement && box.selectionStart === box.value.length;
}

/** @param {Chip} chip */
function chip({ name, sign, source, colour }) {
  const dot = make("i", { class: "dot" });
  dot.style.background = colour;
  return make("span", { class: "finding", title: `${name}: ${source}` }, [dot, make("span", { text: sign === "+" ? name : `${name} ${sign}` })]);
}

/** Whose word the findings are: each tells its own under the pointer. @param {Chip[]} chips */
function sources(chips) {
  const told = [...new Set(chips.map(({ source }) => source))];
  return told.length ? make("span", { class: "faint source", text: told.join(", "), title: "Whose word counts here" }) : null;
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const grid = grids.get(parent) ?? new Hits(parent);
  grids.set(parent, grid);
  grid.update(component);
  return () => {
    setTimeout(() => {
      if (grid.root.isConnected) return;
      grid.leaving.abort();
      grids.delete(parent);
    });
  };
}
