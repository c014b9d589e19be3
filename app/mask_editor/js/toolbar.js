/** The tools on the film's lower edge. Every button is a button, says what it does and shows its key. */

import { icon } from "./icons.js";
import { command, tooltip } from "./keys.js";
import { make } from "./make.js";

/** @typedef {(id: string) => void} Run */

/** @param {string} id @param {Parameters<typeof icon>[0]} picture @param {Run} run @param {boolean} [isSwitch] */
function button(id, picture, run, isSwitch = false) {
  const { keys, says } = command(id);
  const element = make(
    "button",
    {
      class: "tool",
      type: "button",
      testid: `editor-${id}`,
      "aria-label": says,
      "aria-keyshortcuts": keys,
      "aria-pressed": isSwitch ? "false" : null,
      "data-tip": tooltip(id),
    },
    [icon(picture), make("kbd", { text: keys.replace(" held", "") })],
  );
  element.addEventListener("click", () => run(id));
  return element;
}

export class Toolbar {
  /**
   * @param {Run} run
   * @param {{brush: (diameter: number) => void, opacity: (share: number) => void, window: (index: number) => void,
   *   turn: (orientation: string) => void}} on
   */
  constructor(run, on) {
    this.tools = {
      brush: button("brush", "brush", run, true),
      erase: button("erase", "erase", run, true),
      lasso: button("lasso", "lasso", run, true),
      fill: button("fill", "fill", run, true),
    };
    this.undo = button("undo", "undo", run);
    this.redo = button("redo", "redo", run);
    this.outline = button("outline", "outline", run, true);
    this.hide = button("hide", "hide", run, true);
    this.invert = button("invert", "invert", run, true);

    this.size = make("input", {
      type: "range", min: 0, max: 100, step: 1, testid: "editor-size", "aria-label": "Brush diameter",
    });
    this.size.addEventListener("input", () => on.brush(diameterAt(Number(this.size.value))));
    this.sizeWords = make("output", { class: "words-of-size", testid: "editor-size-reading" });

    this.opacity = make("input", {
      type: "range", min: 0, max: 100, step: 1, testid: "editor-opacity", "aria-label": "Opacity of the findings",
    });
    this.opacity.addEventListener("input", () => on.opacity(Number(this.opacity.value) / 100));

    this.windows = make("select", { testid: "editor-window", "aria-label": "Window preset" });
    this.windows.addEventListener("change", () => on.window(Number(this.windows.value)));
    this.windowShape = "";

    this.turn = make("select", { testid: "editor-orientation", "aria-label": "Put the film the right way up" }, [
      make("option", { value: "", text: "Turn or mirror the film" }),
      make("option", { value: "rotate-left", text: "Rotate left" }),
      make("option", { value: "rotate-right", text: "Rotate right" }),
      make("option", { value: "rotate-180", text: "Upside down" }),
      make("option", { value: "mirror", text: "Mirrored" }),
    ]);
    this.turn.addEventListener("change", () => {
      const { value } = this.turn;
      this.turn.value = "";
      if (value) on.turn(value);
    });

    const help = make("button", {
      class: "tool", type: "button", testid: "editor-help", "aria-label": "Keys", "aria-keyshortcuts": "?", "data-tip": "Keys  ·  ?", text: "?",
    });
    help.addEventListener("click", () => run("help"));

    /** @param {string} name @param {string} tip @param {(Node | null)[]} parts */
    const group = (name, tip, parts) => make("div", { class: `group ${name}`, role: "group", "aria-label": name, "data-tip": tip || null }, parts);
    this.drawing = [
      group("tools", "", Object.values(this.tools)),
      group("size", "Brush diameter  ·  [ and ]", [this.size, this.sizeWords]),
      group("history", "", [this.undo, this.redo]),
    ];
    this.turning = group("turning", "", [
      make("span", { class: "tool turn", "data-tip": "Turn or mirror a film that hangs wrong" }, [icon("turn"), this.turn]),
    ]);
    this.element = make("footer", { class: "toolbar", role: "toolbar", "aria-label": "Film tools" }, [
      ...this.drawing,
      group("overlay", "", [this.outline, this.hide, this.opacity]),
      group("window", "", [this.windows, this.invert]),
      group("zoom", "", [button("fit", "fit", run)]),
      this.turning,
      group("help", "", [help]),
    ]);
    // After a click on a tool the keys belong to the film again; whoever tabs through the tools keeps the focus.
    this.onUsed = () => {};
    this.element.addEventListener("click", (event) => {
      if (event.detail > 0 && !(event.target instanceof HTMLSelectElement)) this.onUsed();
    });
    this.element.addEventListener("change", () => this.onUsed());
  }

  /**
   * @param {import("./pane.js").Pane | null} pane @param {import("./pane.js").Look} look
   * @param {{canDraw: boolean, canUndo: boolean, canRedo: boolean, canTurn: boolean}} may
   */
  show(pane, look, may) {
    for (const [id, element] of Object.entries(this.tools)) press(element, look.tool === id);
    press(this.outline, look.outlineOnly);
    press(this.hide, look.hidden);
    press(this.invert, look.inverted);
    this.undo.disabled = !may.canUndo;
    this.redo.disabled = !may.canRedo;
    for (const part of this.drawing) part.hidden = !may.canDraw;
    this.turning.hidden = !may.canTurn;
    this.size.value = String(positionOf(look.brush));
    const spacing = pane?.film.data.pixel_spacing_mm;
    this.sizeWords.textContent = spacing ? `${look.brush} px, ${(look.brush * spacing).toFixed(1)} mm` : `${look.brush} px`;
    this.opacity.value = String(Math.round(look.opacity * 100));
    if (!pane) return;
    const { windows, window } = pane.film;
    const shape = JSON.stringify(windows.map((each) => each.name));
    if (shape !== this.windowShape) {
      this.windowShape = shape;
      this.windows.replaceChildren(
        make("option", { value: -1, text: "By hand" }),
        ...windows.map((each, i) => make("option", { value: i, text: `${each.name}  ⇧${i + 1}` })),
      );
    }
    this.windows.value = String(windows.findIndex((each) => each.name === window.name));
  }
}

/** @param {HTMLElement} element @param {boolean} isOn */
function press(element, isOn) {
  element.setAttribute("aria-pressed", String(isOn));
}

export const LARGEST_BRUSH = 400;

/** The slider is logarithmic: fine where brushes are small. @param {number} position 0..100 */
function diameterAt(position) {
  return Math.max(1, Math.round(LARGEST_BRUSH ** (position / 100)));
}

/** @param {number} diameter @returns {number} 0..100 */
function positionOf(diameter) {
  return Math.round((Math.log(diameter) / Math.log(LARGEST_BRUSH)) * 100);
}
