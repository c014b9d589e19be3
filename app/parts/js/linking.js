/**
 * The films beside a report, and the places on them that its sentences speak of: boxes that are drawn with the pointer
 * while a sentence is in hand, and masks of the study. A thread goes from the sentence to each place.
 *
 * @typedef {{film: string, left: number, top: number, right: number, bottom: number}} Patch
 * @typedef {{section: string, sentence: number, patches: Patch[], masks: string[]}} Grounding
 * @typedef {{id: number, sha: string, src: string, view: string, shape: number}} Film
 * @typedef {{sha: string, film: number, src: string, name: string, colour: string}} Drawn
 */

import { make } from "../../mask_editor/js/make.js";
import { warmth } from "./warmth.js";

const SMALLEST = 0.01;
const SVG = "http://www.w3.org/2000/svg";

export class Films {
  /** @param {HTMLElement} root over which threads go @param {(patch: Patch) => void} drawn */
  constructor(root, drawn) {
    this.root = root;
    this.drawn = drawn;
    this.element = make("div", { class: "films" });
    this.threads = document.createElementNS(SVG, "svg");
    this.threads.classList.add("threads");
    this.isDrawing = false;
    this.masks = /** @type {Drawn[]} */ ([]);
  }

  /** @param {Film[]} films @param {Drawn[]} masks */
  show(films, masks) {
    this.masks = masks;
    this.element.replaceChildren(...films.map((film) => this.film(film)));
  }

  /** @param {Film} film */
  film(film) {
    const frame = make("figure", { "data-film": film.id, "data-sha": film.sha }, [
      make("img", { src: film.src, alt: film.view, draggable: "false" }),
      make("figcaption", { class: "faint", text: film.view }),
    ]);
    frame.style.setProperty("--shape", String(film.shape));
    frame.addEventListener("pointerdown", (event) => this.begin(frame, film.sha, event));
    return frame;
  }

  /** @param {HTMLElement} frame @param {string} film @param {PointerEvent} event */
  begin(frame, film, event) {
    if (!this.isDrawing || event.button !== 0) return;
    event.preventDefault();
    const from = within(frame, event);
    const box = make("div", { class: "box" });
    frame.append(box);
    frame.setPointerCapture(event.pointerId);
    const over = new AbortController();
    const patch = (/** @type {PointerEvent} */ moved) => {
      const to = within(frame, moved);
      return { film, left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), right: Math.max(from.x, to.x), bottom: Math.max(from.y, to.y) };
    };
    frame.addEventListener("pointermove", (moved) => lay(box, patch(moved)), { signal: over.signal });
    const end = (/** @type {PointerEvent} */ last, /** @type {boolean} */ keeps) => {
      over.abort();
      box.remove();
      const found = patch(last);
      if (keeps && found.right - found.left > SMALLEST && found.bottom - found.top > SMALLEST) this.drawn(found);
    };
    frame.addEventListener("pointerup", (last) => end(last, true), { signal: over.signal });
    frame.addEventListener("pointercancel", (last) => end(last, false), { signal: over.signal });
  }

  /** Show where the model looked, and what a sentence is linked to. @param {{image: number, map: number[][]}[]} gazes
   * @param {Grounding | null} grounding @param {Element | null} sentence from which threads go */
  look(gazes, grounding, sentence) {
    for (const old of this.element.querySelectorAll("canvas.heat, .box, .mask")) old.remove();
    this.threads.replaceChildren();
    for (const { image, map } of gazes) if (map.length) this.frameOf(image)?.append(warmth(map));
    const places = [];
    for (const patch of grounding?.patches ?? []) {
      const frame = this.element.querySelector(`[data-sha="${CSS.escape(patch.film)}"]`);
      if (!frame) continue;
      const box = make("div", { class: "box", testid: "box" });
      lay(box, patch);
      frame.append(box);
      places.push(box);
    }
    for (const sha of grounding?.masks ?? []) {
      const mask = this.masks.find((each) => each.sha === sha);
      const frame = mask ? this.frameOf(mask.film) : null;
      if (!mask || !frame) continue;
      const picture = make("img", { class: "mask", src: mask.src, alt: mask.name, draggable: "false" });
      frame.append(picture);
      places.push(picture);
    }
    if (sentence) for (const place of places) this.thread(sentence, place);
  }

  /** @param {Element} sentence @param {Element} place */
  thread(sentence, place) {
    const [whole, from, to] = [this.root, sentence, place].map((each) => each.getBoundingClientRect());
    const line = document.createElementNS(SVG, "line");
    const ends = { x1: from.left - whole.left, y1: from.top + 10 - whole.top, x2: (to.left + to.right) / 2 - whole.left, y2: (to.top + to.bottom) / 2 - whole.top };
    for (const [name, value] of Object.entries(ends)) line.setAttribute(name, String(value));
    this.threads.append(line);
  }

  /** @param {number} image */
  frameOf(image) {
    return this.element.querySelector(`[data-film="${image}"]`);
  }
}

/** Where on a film the pointer is, as fractions. @param {HTMLElement} frame @param {PointerEvent} event */
function within(frame, event) {
  const { left, top, width, height } = frame.getBoundingClientRect();
  const bound = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
  return { x: bound((event.clientX - left) / width), y: bound((event.clientY - top) / height) };
}

/** @param {HTMLElement} box @param {Patch} patch */
function lay(box, { left, top, right, bottom }) {
  const percent = (/** @type {number} */ share) => `${100 * share}%`;
  Object.assign(box.style, { left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top) });
}

/**
 * The card while a sentence is in hand: the study's masks to link it to, and what was drawn, to be taken back.
 *
 * @param {string} words @param {Grounding} grounding @param {Drawn[]} masks
 * @param {(grounding: Grounding) => void} change @param {() => void} leave @returns {HTMLElement}
 */
export function linkingCard(words, grounding, masks, change, leave) {
  const toggles = masks.map((mask) => {
    const isLinked = grounding.masks.includes(mask.sha);
    const button = make("button", { type: "button", class: "choice", "aria-pressed": String(isLinked), testid: `link-mask-${mask.name}` }, [
      make("i", { class: "dot" }),
      document.createTextNode(` ${mask.name}`),
    ]);
    const dot = button.querySelector("i");
    if (dot) dot.style.background = mask.colour;
    button.addEventListener("click", () =>
      change({ ...grounding, masks: isLinked ? grounding.masks.filter((sha) => sha !== mask.sha) : [...grounding.masks, mask.sha] }),
    );
    return button;
  });
  const undo = make("button", { type: "button", class: "choice", text: "Take back the last box", disabled: grounding.patches.length === 0 });
  undo.addEventListener("click", () => change({ ...grounding, patches: grounding.patches.slice(0, -1) }));
  const done = make("button", { type: "button", class: "primary", text: "Done", title: "Esc", testid: "link-done" });
  done.addEventListener("click", leave);
  return make("div", { class: "pinning", role: "group", "aria-label": "Where it is", testid: "linking" }, [
    make("div", { class: "faint", text: `“${words}” Draw on a film where it is${masks.length ? ", or choose a mask" : ""}.` }),
    make("div", { class: "choices" }, toggles),
    make("div", { class: "choices" }, [undo, done]),
  ]);
}
