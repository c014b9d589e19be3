/**
 * What all editors of the page share and what outlives each of them: open films, saves under way, and how the reader
 * likes things shown.
 */

import { Documents } from "./documents.js";
import { Saver } from "./saving.js";

const PREFERENCES = "reading-room-editor";

/** @typedef {import("./pane.js").Look} Look */

/** @type {Look} */
const look = {
  opacity: 0.3,
  outlineOnly: false,
  hidden: false,
  inverted: false,
  brush: 24,
  tool: "brush",
  finding: null,
  ...storedPreferences(),
};

/** @returns {Partial<Look>} */
function storedPreferences() {
  const text = localStorage.getItem(PREFERENCES);
  if (!text) return {};
  const { opacity, outlineOnly, brush } = JSON.parse(text);
  return { opacity, outlineOnly, brush };
}

export const workspace = {
  documents: new Documents(),
  saver: new Saver(),
  look,
  /** @type {Set<import("./editor.js").Editor>} */
  editors: new Set(),
  /** The editor that the keyboard speaks to. @type {import("./editor.js").Editor | null} */
  foremost: null,

  /** What an editor that is mounted anew takes up again. */
  last: {
    study: "",
    view: 0,
    /** @type {import("./viewport.js").ZoomMode | null} */
    zoom: null,
  },

  /** Something arrived or changed: show it wherever it is shown. */
  redraw() {
    for (const editor of this.editors) editor.redraw();
  },

  keepPreferences() {
    const { opacity, outlineOnly, brush } = look;
    localStorage.setItem(PREFERENCES, JSON.stringify({ opacity, outlineOnly, brush }));
  },
};

/** @param {import("./saving.js").SaveStatus} status */
workspace.saver.onStatus = (status) => {
  for (const editor of workspace.editors) editor.showStatus(status);
};

/** @param {import("./layers.js").Layer} layer @param {string} sentence */
workspace.saver.onConflict = (layer, sentence) => {
  for (const editor of workspace.editors) editor.tellConflict(layer, sentence);
};
