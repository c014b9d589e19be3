/** What every command does: a literal table from the ids in keys.js to the editor's own verbs. */

/** @typedef {import("./editor.js").Editor} Editor */

/** @param {KeyboardEvent | null} event @returns {number} 0 for the key 1 */
const digit = (event) => Number(event?.code.slice(-1)) - 1;

/** @param {Editor} editor @param {import("./pane.js").Look["tool"]} tool */
function take(editor, tool) {
  if (!editor.data?.read_only) editor.setLook({ tool });
}

/**
 * The event is null when a button was pressed instead of a key. An action that gives false was not for the editor.
 * @type {Record<string, (editor: Editor, event: KeyboardEvent | null) => unknown>}
 */
export const ACTIONS = {
  brush: (editor) => take(editor, "brush"),
  erase: (editor) => take(editor, "erase"),
  lasso: (editor) => take(editor, "lasso"),
  fill: (editor) => take(editor, "fill"),
  "fill-all": (editor) => editor.hands.fillAll(),
  // Alt alone would take some browsers to their menu, away from the film under the pointer.
  cut: (editor) => editor.pane?.hover !== null,
  smaller: (editor) => editor.sight.resizeBrush(-1),
  larger: (editor) => editor.sight.resizeBrush(1),
  undo: (editor) => editor.hands.step("undo"),
  redo: (editor) => editor.hands.step("redo"),

  "zoom-in": (editor) => editor.sight.zoomBy(1.25),
  "zoom-out": (editor) => editor.sight.zoomBy(0.8),
  fit: (editor) => editor.sight.fit(),
  "actual-size": (editor) => editor.sight.actualSize(),
  pan: (editor) => editor.root.classList.add("panning"),
  preset: (editor, event) => editor.sight.usePreset(digit(event)),
  invert: (editor) => editor.setLook({ inverted: !editor.look.inverted }),
  view: (editor) => editor.showView((editor.view + 1) % (editor.films.length > 1 ? editor.films.length + 1 : 1)),
  outline: (editor) => editor.setLook({ outlineOnly: !editor.look.outlineOnly }),
  hide: (editor, event) => editor.setLook({ hidden: event ? true : !editor.look.hidden }),

  finding: (editor, event) => {
    const layer = editor.pane?.film.layers[digit(event)];
    if (layer) editor.hand.pick(layer.finding);
  },

  "next-finding": (editor) => editor.assessor.walk(1),
  "previous-finding": (editor) => editor.assessor.walk(-1),
  walk: (editor, event) => editor.assessor.walk(event?.key === "ArrowUp" ? -1 : 1),

  present: (editor) => editor.assessor.say("present"),
  absent: (editor) => editor.assessor.say("absent"),
  uncertain: (editor) => editor.assessor.say("uncertain"),
  unassessed: (editor) => editor.assessor.say("unassessed"),
  "rest-absent": (editor) => editor.assessor.restAbsent(),
  side: (editor) => editor.assessor.turn("side"),
  zone: (editor) => editor.assessor.turn("zone"),
  map: (editor) => editor.sight.showMapInHand(),
  settle: (editor) => editor.assessor.startSettling(),

  accept: (editor) => editor.answers.accept(),
  correct: (editor) => editor.answers.correct(),
  reject: (editor) => editor.answers.reject(),

  submit: (editor) => editor.data?.read_only || editor.answers.send("submit"),
  next: (editor) => editor.answers.send("next"),
  previous: (editor) => editor.answers.send("previous"),
  help: (editor) => editor.help.toggle(),
  close: (editor) => editor.closeSomething(),
};

/** What letting go of a held key does. @type {Record<string, (editor: Editor) => void>} */
export const RELEASES = {
  hide: (editor) => editor.setLook({ hidden: false }),
  pan: (editor) => editor.root.classList.remove("panning"),
  map: (editor) => editor.sight.showMap(null),
};
