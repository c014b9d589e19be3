/** The editor's side of its talk with the findings panel: hears what is done there, and tells how things stand. */

import { hear, tell } from "./telling.js";

export class Beside {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    this.told = "";
    this.leaving = new AbortController();
    hear("deed", (deed) => this.act(deed), this.leaving.signal);
  }

  /** Tell how things stand, when that has changed. */
  tell() {
    const { data, labels, look, films, assessor } = this.editor;
    if (!data || data.read_only) return;
    const layers = films.flatMap((film) => film.layers);
    const words = [...(labels?.voices.reader.values() ?? []), ...(labels?.voices.settled.values() ?? [])];
    const desk = {
      study: data.study_id,
      finding: look.finding,
      open: films.flatMap((film) => film.openSuggestions().map((each) => each.predictionId)),
      drawn: layers.filter((layer) => layer.draftId !== null).map((layer) => layer.finding),
      isDraft: [...layers, ...words].some((each) => each.draftId !== null),
      labels: told(labels?.voices.reader),
      settled: told(labels?.voices.settled),
      settling: assessor.settling,
    };
    const shape = JSON.stringify(desk);
    if (shape === this.told) return;
    this.told = shape;
    tell("desk", desk);
  }

  /** @param {any} deed */
  act(deed) {
    const { editor } = this;
    if (!editor.data || editor.data.read_only || !editor.isOnScreen) return;
    if (deed.kind === "hello") {
      this.told = "";
      this.tell();
    }
    // A panel that still shows the study before must not speak for the one that is open.
    if (deed.study !== editor.data.study_id) return;
    DEEDS[deed.kind]?.(editor, deed);
  }

  remove() {
    this.leaving.abort();
  }
}

/** @type {Record<string, (editor: import("./editor.js").Editor, deed: any) => void>} */
const DEEDS = {
  pick: (editor, { finding }) => editor.hand.pick(finding),
  say: (editor, { finding, word }) => {
    const label = editor.labels?.label(finding);
    if (!label) return;
    editor.hand.pick(finding);
    editor.assessor.set(label, { ...label.word, ...word });
  },
  settle: (editor, { finding, word }) => editor.assessor.settle(finding, word),
  answer: (editor, { answer, prediction, reason }) => editor.answers.answerTo(prediction, answer, reason),
  look: (editor, { finding }) => editor.sight.showMap(finding),
};

/** @param {Map<string, import("./labels.js").Label> | undefined} labels @returns {Record<string, import("./telling.js").Told>} */
function told(labels) {
  const entries = [...(labels ?? [])].map(([finding, { word, save }]) => {
    const unsaved = !save.isBehind ? "" : save.failure ? "failed" : "saving";
    return [finding, { ...word, unsaved }];
  });
  return Object.fromEntries(entries);
}
