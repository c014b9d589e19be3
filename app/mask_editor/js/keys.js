/**
 * The keyboard. One table says what every key does; the help card, the tooltips and the key handler all read it.
 * R and C belong to Streamlit and are not used. Keys act wherever the focus is, except where the reader types, and
 * Enter and Space leave a focused button alone.
 *
 * @typedef {object} Command
 * @property {string} id @property {string} keys as shown @property {string} says
 * @property {"Draw" | "See" | "Findings" | "Suggestion" | "Study"} group
 * @property {(event: KeyboardEvent) => boolean} [matches] none: a pointer gesture, listed for the help card
 * @property {boolean} [repeats] acts again while the key is held
 * @property {boolean} [native] leaves a focused control alone
 */

/** @param {string} letter */
const plain = (letter) => (/** @type {KeyboardEvent} */ e) => !e.shiftKey && !withModifier(e) && e.key.toLowerCase() === letter;
/** @param {string} letter */
const shifted = (letter) => (/** @type {KeyboardEvent} */ e) => e.shiftKey && !withModifier(e) && e.key.toLowerCase() === letter;
/** @param {KeyboardEvent} e */
const withModifier = (e) => e.ctrlKey || e.metaKey || e.altKey;
/** @param {KeyboardEvent} e @param {string} letter */
const withControl = (e, letter) => (e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === letter;

/** @type {Command[]} */
export const COMMANDS = [
  { id: "brush", keys: "B", says: "Brush", group: "Draw", matches: plain("b") },
  { id: "erase", keys: "E", says: "Eraser", group: "Draw", matches: plain("e") },
  { id: "lasso", keys: "L", says: "Lasso: draw around an area to add it", group: "Draw", matches: plain("l") },
  { id: "fill", keys: "F", says: "Fill the hole you click", group: "Draw", matches: plain("f") },
  { id: "fill-all", keys: "Shift F", says: "Fill all holes", group: "Draw", matches: shifted("f") },
  { id: "cut", keys: "Alt or Shift held", says: "Cut out with the lasso; with fill, remove the island you click", group: "Draw", matches: (e) => e.key === "Alt" },
  { id: "smaller", keys: "[", says: "Smaller brush", group: "Draw", repeats: true, matches: (e) => !e.metaKey && e.key === "[" },
  { id: "larger", keys: "]", says: "Larger brush (also Shift and wheel)", group: "Draw", repeats: true, matches: (e) => !e.metaKey && e.key === "]" },
  { id: "undo", keys: "Z", says: "Undo", group: "Draw", repeats: true, matches: (e) => plain("z")(e) || (withControl(e, "z") && !e.shiftKey) },
  { id: "redo", keys: "Y", says: "Redo", group: "Draw", repeats: true, matches: (e) => plain("y")(e) || withControl(e, "y") || (withControl(e, "z") && e.shiftKey) },
  { id: "draw", keys: "Left drag", says: "Draw with the tool in hand", group: "Draw" },

  { id: "zoom", keys: "Wheel", says: "Zoom at the pointer", group: "See" },
  { id: "zoom-in", keys: "+", says: "Zoom in", group: "See", repeats: true, matches: (e) => !withModifier(e) && (e.key === "+" || e.key === "=") },
  { id: "zoom-out", keys: "-", says: "Zoom out", group: "See", repeats: true, matches: (e) => !withModifier(e) && e.key === "-" },
  { id: "fit", keys: "0", says: "Fit the film to the window", group: "See", matches: (e) => !withModifier(e) && !e.shiftKey && e.code === "Digit0" },
  { id: "actual-size", keys: "Shift 0", says: "One film pixel to a screen pixel", group: "See", matches: (e) => !withModifier(e) && e.shiftKey && e.code === "Digit0" },
  { id: "pan", keys: "Space drag", says: "Move the film (also middle drag)", group: "See", native: true, matches: (e) => !withModifier(e) && e.key === " " },
  { id: "level", keys: "Right drag", says: "Window: across for contrast, up and down for brightness", group: "See" },
  { id: "preset", keys: "Shift 1 - 9", says: "Window presets", group: "See", matches: (e) => e.shiftKey && !withModifier(e) && /^Digit[1-9]$/.test(e.code) },
  { id: "invert", keys: "I", says: "Invert grey", group: "See", matches: plain("i") },
  { id: "view", keys: "V", says: "Next view, then side by side", group: "See", matches: plain("v") },
  { id: "outline", keys: "O", says: "Outlines only", group: "See", matches: plain("o") },
  { id: "hide", keys: "H held", says: "Hide everything drawn", group: "See", matches: plain("h") },

  { id: "finding", keys: "1 - 9", says: "Pick a finding", group: "Findings", matches: (e) => !e.shiftKey && !withModifier(e) && /^Digit[1-9]$/.test(e.code) },
  { id: "next-finding", keys: "W", says: "Next finding to assess", group: "Findings", repeats: true, matches: plain("w") },
  { id: "previous-finding", keys: "Shift W", says: "The finding before", group: "Findings", repeats: true, matches: shifted("w") },
  { id: "walk", keys: "↓ ↑", says: "Next finding, the finding before", group: "Findings", repeats: true, native: true, matches: (e) => !withModifier(e) && !e.shiftKey && /^Arrow(Down|Up)$/.test(e.key) },
  { id: "present", keys: "S", says: "Present", group: "Findings", matches: plain("s") },
  { id: "absent", keys: "D", says: "Absent", group: "Findings", matches: plain("d") },
  { id: "uncertain", keys: "G", says: "Uncertain", group: "Findings", matches: plain("g") },
  { id: "unassessed", keys: "U", says: "Not assessed: take the word back", group: "Findings", matches: plain("u") },
  { id: "rest-absent", keys: "Shift D", says: "All that is not yet assessed is absent", group: "Findings", matches: shifted("d") },
  { id: "side", keys: "Q", says: "Side: the patient's right, left, both, none", group: "Findings", matches: plain("q") },
  { id: "zone", keys: "Shift Q", says: "Zone: upper, mid, lower, none", group: "Findings", matches: shifted("q") },
  { id: "map", keys: "M held", says: "Show where the model looked", group: "Findings", matches: plain("m") },
  { id: "settle", keys: "K", says: "Settle a disagreement: K, then S, D, G or U", group: "Findings", matches: plain("k") },

  { id: "accept", keys: "A", says: "Accept the suggestion", group: "Suggestion", matches: plain("a") },
  { id: "correct", keys: "T", says: "Take the suggestion over and correct it", group: "Suggestion", matches: plain("t") },
  { id: "reject", keys: "X", says: "Reject the suggestion", group: "Suggestion", matches: plain("x") },

  { id: "submit", keys: "Enter", says: "Submit the study", group: "Study", native: true, matches: (e) => !withModifier(e) && !e.shiftKey && e.key === "Enter" },
  { id: "next", keys: "N", says: "Next study", group: "Study", matches: plain("n") },
  { id: "previous", keys: "P", says: "Previous study", group: "Study", matches: plain("p") },
  { id: "help", keys: "?", says: "This card", group: "Study", matches: (e) => !withModifier(e) && e.key === "?" },
  { id: "close", keys: "Esc", says: "Drop the stroke under way; close this card", group: "Study", matches: (e) => e.key === "Escape" },
];

/** @param {string} id @returns {Command} */
export function command(id) {
  const found = COMMANDS.find((each) => each.id === id);
  if (!found) throw new Error(`There is no command called ${id}.`);
  return found;
}

/** @param {string} id @returns {string} for a tooltip */
export function tooltip(id) {
  const { says, keys } = command(id);
  return `${says}  ·  ${keys}`;
}

const TEXT_INPUTS = /^(text|search|email|url|password|number|tel|date|time|datetime-local|month|week)$/;

/** @param {EventTarget | undefined} target @returns {boolean} whether keys belong to what is being typed */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.test(target.type);
  return ["textbox", "combobox", "searchbox", "listbox", "menu"].includes(target.getAttribute("role") ?? "");
}

const PRESSED_BY_ENTER =
  "button, a[href], input, summary, [role=button], [role=tab], [role=grid], [role=option], [role=menuitem], [role=treeitem], .stDataFrame";

/** @param {EventTarget | undefined} target @returns {boolean} whether Enter and Space press what is focused */
export function isControl(target) {
  return target instanceof Element && target.closest(PRESSED_BY_ENTER) !== null;
}

/** Hears the keyboard before Streamlit does, and keeps from it every key that the editor acts on. */
export class Keyboard {
  /**
   * @param {(command: Command, event: KeyboardEvent) => boolean} press whether the key was for the editor
   * @param {(command: Command) => void} release
   */
  constructor(press, release) {
    this.press = press;
    this.release = release;
    /** @type {Map<string, Command>} commands whose key is down, by physical key */
    this.down = new Map();
    addEventListener("keydown", (event) => this.onDown(event), { capture: true });
    addEventListener("keyup", (event) => this.onUp(event), { capture: true });
    addEventListener("blur", () => this.releaseAll());
  }

  /** @param {KeyboardEvent} event */
  onDown(event) {
    const target = event.composedPath()[0];
    if (event.isComposing || isTyping(target)) return;
    const found = COMMANDS.find((each) => each.matches?.(event));
    if (!found || (found.native && isControl(target))) return;
    if (event.repeat && !found.repeats) {
      if (this.down.has(event.code)) swallow(event);
      return;
    }
    if (!this.press(found, event)) return;
    this.down.set(event.code, found);
    swallow(event);
  }

  /** @param {KeyboardEvent} event */
  onUp(event) {
    const held = this.down.get(event.code);
    if (!held) return;
    this.down.delete(event.code);
    swallow(event);
    this.release(held);
  }

  releaseAll() {
    for (const held of this.down.values()) this.release(held);
    this.down.clear();
  }

  /** @param {string} id */
  isHeld(id) {
    return [...this.down.values()].some((held) => held.id === id);
  }
}

/** @param {KeyboardEvent} event */
function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
