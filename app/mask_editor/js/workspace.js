/**
 * What all editors of the page share and what outlives each of them: open films, saves under way, and how the reader
 * likes things shown.
 */

import { Documents } from "./documents.js";
import { Keyboard } from "./keys.js";
import { StudyLabels } from "./labels.js";
import { Saver } from "./saving.js";

/** @typedef {import("./pane.js").Look} Look */

const PREFERENCES = "reading-room-editor";
const KEPT_STUDIES = 24;

/** @returns {Partial<Look>} */
function preferences() {
  try {
    const { opacity, outlineOnly, brush } = JSON.parse(localStorage.getItem(PREFERENCES) ?? "{}");
    return {
      ...(opacity >= 0 && opacity <= 1 ? { opacity } : {}),
      ...(outlineOnly === true ? { outlineOnly } : {}),
      ...(Number.isInteger(brush) && brush > 0 ? { brush } : {}),
    };
  } catch {
    // Storage that is switched off or holds something else is no reason to show no film.
    return {};
  }
}

export const workspace = {
  documents: new Documents(),
  saver: new Saver(),
  /** What readers said on the studies that were open last, the least recently used first. @type {Map<string, StudyLabels>} */
  labels: new Map(),
  /** @type {Set<import("./editor.js").Editor>} */
  editors: new Set(),
  /** The editor that the pointer touched last. @type {import("./editor.js").Editor | null} */
  touched: null,

  /** How the last editor that could draw was set; one that is mounted anew takes it up. */
  last: {
    /** @type {Look} */
    look: {
      opacity: 0.3,
      outlineOnly: false,
      hidden: false,
      inverted: false,
      brush: 24,
      tool: "brush",
      finding: null,
      map: null,
      ...preferences(),
    },
    study: "",
    view: 0,
    /** @type {import("./viewport.js").ZoomMode | null} */
    zoom: null,
  },

  /**
   * Of several editors on a page, keys for looking go to the one touched last, all others to the one that is drawn on.
   * @param {import("./keys.js").Command} command @returns {import("./editor.js").Editor | null}
   */
  spokenTo(command) {
    const present = [...this.editors].filter((editor) => editor.isOnScreen);
    const drawn = present.find((editor) => !editor.data?.read_only);
    const touched = present.find((editor) => editor === this.touched);
    return (command.group === "See" ? touched ?? drawn : drawn ?? touched) ?? present[0] ?? null;
  },

  /** @param {string} reader @param {string} studyId @returns {StudyLabels} */
  labelsOf(reader, studyId) {
    const key = JSON.stringify([reader, studyId]);
    const book = this.labels.get(key) ?? new StudyLabels(this.saver, reader, studyId);
    this.labels.delete(key);
    this.labels.set(key, book);
    for (const [old, each] of [...this.labels].slice(0, -KEPT_STUDIES)) {
      if (!each.isUnsaved) this.labels.delete(old);
    }
    return book;
  },

  /** Something arrived or changed: show it wherever it is shown. */
  redraw() {
    for (const editor of this.editors) editor.redraw();
  },

  /** @param {Look} look */
  keepLook(look) {
    Object.assign(this.last.look, look, { hidden: false, map: null });
    const { opacity, outlineOnly, brush } = look;
    localStorage.setItem(PREFERENCES, JSON.stringify({ opacity, outlineOnly, brush }));
  },
};

/** @param {import("./saving.js").SaveStatus} status */
workspace.saver.onStatus = (status) => {
  for (const editor of workspace.editors) editor.showStatus(status);
};

workspace.saver.onConflict = (thing, sentence) => {
  for (const editor of workspace.editors) editor.tellConflict(thing, sentence);
};

/** @type {import("./editor.js").Editor | null} */
let heardPress = null;

/** The page's one keyboard. A key is let go where it was pressed. */
export const keyboard = new Keyboard(
  (command, event) => {
    heardPress = workspace.spokenTo(command);
    return heardPress?.press(command, event) ?? false;
  },
  (command) => heardPress?.release(command),
);
