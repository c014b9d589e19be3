/**
 * A film as large as the window allows and, over it, where a model looked: the finding's colour, as opaque as the map is
 * bright. H held hides it; the slider fades it.
 *
 * @typedef {{film: string, map: string | null, width: number, height: number, colour: string, words: string}} Shown
 */

import { make } from "../../mask_editor/js/make.js";
import { isTyping, rootOf } from "./dom.js";

const OPACITY = 75;

/** @type {WeakMap<Node, Looked>} */
const films = new WeakMap();

class Looked {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "looked");
    this.shape = "";
    this.film = make("img", { class: "film", alt: "The film", draggable: "false" });
    this.heat = make("canvas", { class: "heat", testid: "looked-map" });
    this.frame = make("div", { class: "frame" }, [this.film, this.heat]);
    this.words = make("span", { class: "faint", testid: "looked-words" });
    this.fade = make("input", { type: "range", min: 0, max: 100, value: OPACITY, title: "How strongly the map shows  ·  hold H to hide it", "aria-label": "Map" });
    this.fade.addEventListener("input", () => this.show());
    this.foot = make("div", { class: "foot" }, [this.words, make("label", {}, [make("span", { class: "faint", text: "Map" }), this.fade, make("kbd", { text: "H" })])]);
    this.root.replaceChildren(this.frame, this.foot);
    this.isHidden = false;
    this.listen();
  }

  listen() {
    /** @param {KeyboardEvent} event @param {boolean} isHidden */
    const turn = (event, isHidden) => {
      if (!this.root.isConnected) return stop.abort();
      if (event.key.toLowerCase() !== "h" || event.ctrlKey || event.metaKey || event.altKey) return undefined;
      if (isHidden && isTyping(event)) return undefined;
      this.isHidden = isHidden;
      return this.show();
    };
    const stop = new AbortController();
    document.addEventListener("keydown", (event) => turn(event, true), { signal: stop.signal });
    document.addEventListener("keyup", (event) => turn(event, false), { signal: stop.signal });
  }

  /** @param {Shown} data */
  async update(data) {
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    this.shape = shape;
    this.frame.style.setProperty("--shape", String(data.width / data.height));
    if (this.film.getAttribute("src") !== data.film) this.film.src = data.film;
    this.words.textContent = data.words;
    this.foot.classList.toggle("bare", data.map === null);
    const map = data.map === null ? null : await coloured(data.map, data.colour);
    if (shape !== this.shape) return;
    const pen = this.heat.getContext("2d");
    this.heat.width = map?.width ?? 1;
    this.heat.height = map?.height ?? 1;
    if (map) pen.putImageData(map, 0, 0);
    this.show();
  }

  show() {
    this.heat.style.opacity = String(this.isHidden ? 0 : this.fade.valueAsNumber / 100);
  }
}

/** @param {string} url @param {string} colour "#RRGGBB" @returns {Promise<ImageData | null>} */
async function coloured(url, colour) {
  const response = await fetch(url);
  if (!response.ok) return null;
  const grey = await createImageBitmap(await response.blob());
  const pen = new OffscreenCanvas(grey.width, grey.height).getContext("2d");
  pen.drawImage(grey, 0, 0);
  const image = pen.getImageData(0, 0, grey.width, grey.height);
  const tint = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  for (let i = 0; i < image.data.length; i += 4) image.data.set([...tint, image.data[i]], i);
  return image;
}

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement }) {
  const looked = films.get(parentElement) ?? new Looked(parentElement);
  films.set(parentElement, looked);
  looked.update(data);
}
