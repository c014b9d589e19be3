/**
 * Two masks on one film: side by side, one after the other, or where they differ. Masks come by content hash as run
 * lengths, row by row, the first a run of zeros.
 *
 * @typedef {{url: string | null, label: string, colour: string}} Side
 */

import { make } from "../../mask_editor/js/make.js";
import { rootOf } from "./dom.js";

const BLINK_MS = 700;
const MODES = [
  ["beside", "Side by side"],
  ["blink", "Blink"],
  ["difference", "Difference"],
];

/** @type {WeakMap<Node, Comparison>} */
const comparisons = new WeakMap();

class Comparison {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "comparison");
    this.mode = "beside";
    this.shape = "";
    this.timer = 0;
    this.isOther = false;
    this.stage = make("div", { class: "stage" });
    this.says = make("div", { class: "faint", testid: "comparison-says" });
    this.modes = MODES.map(([mode, text]) => {
      const button = make("button", { class: "answer", type: "button", text, testid: `comparison-${mode}` });
      button.addEventListener("click", () => {
        this.mode = mode;
        this.draw();
      });
      return button;
    });
    this.root.replaceChildren(make("div", { class: "modes" }, [...this.modes, this.says]), this.stage);
  }

  /** @param {any} data */
  async update(data) {
    const shape = JSON.stringify(data);
    if (shape === this.shape) return;
    this.shape = shape;
    this.data = data;
    this.stage.replaceChildren(make("p", { class: "faint", text: "Loading the film." }));
    const [film, one, other] = await Promise.all([
      loadFilm(data.film),
      loadMask(data.one.url, data.width * data.height),
      loadMask(data.other.url, data.width * data.height),
    ]);
    if (shape !== this.shape) return;
    this.film = film;
    this.masks = [one, other];
    this.draw();
  }

  draw() {
    clearInterval(this.timer);
    const { data, mode } = this;
    this.modes.forEach((button, i) => button.setAttribute("aria-pressed", String(MODES[i][0] === mode)));
    const [one, other] = this.masks;
    const both = one.reduce((sum, value, i) => sum + (value & other[i]), 0);
    const area = [one, other].map((mask) => mask.reduce((sum, value) => sum + value, 0));
    const total = area[0] + area[1];
    this.says.textContent = `Dice ${(total ? (2 * both) / total : 1).toFixed(3)}`;
    if (mode === "difference") {
      const only = [one.map((value, i) => value & (1 - other[i])), other.map((value, i) => value & (1 - one[i]))];
      this.stage.replaceChildren(
        this.panel("Only in one of the two", [
          [one.map((value, i) => value & other[i]), "#7d8794"],
          [only[0], data.one.colour],
          [only[1], data.other.colour],
        ]),
        make("p", { class: "faint", text: "Grey: in both. In colour: only in the first, or only in the second." }),
      );
      return;
    }
    const panels = [this.panel(data.one.label, [[one, data.one.colour]]), this.panel(data.other.label, [[other, data.other.colour]])];
    this.stage.replaceChildren(...panels);
    if (mode !== "blink") return;
    const show = () => panels.forEach((panel, i) => (panel.hidden = (i === 1) !== this.isOther));
    show();
    this.timer = setInterval(() => {
      if (!this.root.isConnected) clearInterval(this.timer);
      this.isOther = !this.isOther;
      show();
    }, BLINK_MS);
  }

  /** @param {string} label @param {[Uint8Array, string][]} layers */
  panel(label, layers) {
    const { width, height } = this.data;
    const canvas = make("canvas", { width, height });
    const pen = canvas.getContext("2d");
    pen.drawImage(this.film, 0, 0, width, height);
    for (const [mask, colour] of layers) pen.drawImage(tinted(mask, width, height, colour), 0, 0);
    return make("figure", {}, [canvas, make("figcaption", { class: "faint", text: label })]);
  }
}

/** @param {Uint8Array} mask @param {number} width @param {number} height @param {string} colour "#RRGGBB" */
function tinted(mask, width, height, colour) {
  const canvas = make("canvas", { width, height });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(width, height);
  const value = Number.parseInt(colour.slice(1), 16);
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    pixels.data.set([value >> 16, (value >> 8) & 255, value & 255, 115], 4 * i);
  }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

/** @param {string} url */
async function loadFilm(url) {
  const response = await fetch(url);
  return createImageBitmap(await response.blob());
}

/** @param {string | null} url @param {number} size @returns {Promise<Uint8Array>} */
async function loadMask(url, size) {
  const mask = new Uint8Array(size);
  if (!url) return mask;
  const response = await fetch(url);
  const runs = new Uint32Array(await response.arrayBuffer());
  let place = 0;
  runs.forEach((length, i) => {
    if (i % 2) mask.fill(1, place, place + length);
    place += length;
  });
  return mask;
}

/** @param {any} component as Streamlit passes it */
export default function open({ data, parentElement }) {
  const comparison = comparisons.get(parentElement) ?? new Comparison(parentElement);
  comparisons.set(parentElement, comparison);
  comparison.update(data);
}
