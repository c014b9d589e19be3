/** The editor's side of its talk with the findings panel: hears what is done there, and tells how things stand. */

import { hear, tell } from "./telling.js";

const EARLY_MS = 5000;

export class Beside {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    this.told = "";
    /** What was done in the panel for a study that is not open here. @type {{deed: any, at: number} | null} */
    this.early = null;
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
    if (deed.study !== editor.data.study_id) {
      // A panel that still shows the study before must not speak for the one that is open; one that already shows the
      // next is heard when that opens.
      this.early = { deed, at: Date.now() };
      return;
    }
    DEEDS[deed.kind]?.(editor, deed);
  }

  /** A study has opened: do what was done for it already. */
  catchUp() {
    const early = this.early;
    this.early = null;
    if (early && Date.now() - early.at < EARLY_MS) this.act(early.deed);
    this.early = null;
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
