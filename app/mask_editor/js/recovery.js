/**
 * What an earlier page kept because the server never acknowledged it. Drawings are offered back, never forced; a label
 * goes on its way by itself, unless the server has heard something newer since.
 */

import { decodeRuns } from "./masks.js";
import { inWords, isSameWord } from "./labels.js";
import { findUnsavedLabels, findUnsavedMasks, forgetUnsaved } from "./offline.js";

const TIME = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/**
 * @param {import("./documents.js").FilmDocument} film @param {string} reader
 * @param {import("./editor.js").Editor} editor
 */
export async function offerBack(film, reader, editor) {
  const kept = await findUnsavedMasks(reader, film.id, film.sha);
  for (const unsaved of kept) {
    const layer = film.layer(unsaved.finding);
    if (!layer || !layer.editable || layer.save?.isBehind) continue;
    const drop = () => forgetUnsaved(unsaved.key);
    const mask = decodeRuns(unsaved.runs, film.width * film.height);
    await layer.whenLoaded();
    if (layer.state !== "ready") continue;
    if (isSame(layer.pixels(), mask)) {
      // The acknowledgement was lost, not the drawing.
      await drop();
      continue;
    }
    const at = TIME.format(new Date(unsaved.at));
    editor.notices.show(`unsaved-${unsaved.finding}`, `A drawing of ${layer.name} from ${at} never reached the server.`, {
      actions: [
        {
          says: "Bring it back",
          run: () => {
            if (layer.replace(mask, unsaved.suggestionId)) editor.saver.changed(layer);
            editor.redraw();
          },
        },
        { says: "Throw it away", run: drop },
      ],
    });
  }
}

/**
 * @param {import("./labels.js").StudyLabels} book @param {import("./editor.js").Editor} editor
 */
export async function offerLabelsBack(book, editor) {
  /** @type {[import("./labels.js").Label, import("./offline.js").UnsavedLabel][]} */
  const overtaken = [];
  let returned = 0;
  for (const unsaved of await findUnsavedLabels(book.reader, book.studyId)) {
    const label = book.label(unsaved.finding, unsaved.voice);
    if (!label || label.save.isBehind) continue;
    if (isSameWord(label.word, unsaved.word)) {
      // The acknowledgement was lost, not the word.
      await forgetUnsaved(unsaved.key);
    } else if (label.draftId === unsaved.parent && label.baseId === unsaved.base) {
      book.set(label, unsaved.word);
      returned++;
    } else {
      overtaken.push([label, unsaved]);
    }
  }
  if (returned) {
    editor.notices.show("returned", `${returned === 1 ? "One label" : `${returned} labels`} had not reached the server and went on the way again.`);
    editor.refresh();
  }
  if (!overtaken.length) return;
  const told = overtaken.map(([label, { word, at }]) => `${label.name} ${inWords(word)}, ${TIME.format(new Date(at))}`).join("; ");
  editor.notices.show("unsaved-labels", `Said here, but never reached the server, where something newer stands: ${told}.`, {
    actions: [
      {
        says: "Say it again",
        run: () => {
          for (const [label, unsaved] of overtaken) book.set(label, unsaved.word);
          editor.refresh();
        },
      },
      { says: "Throw it away", run: () => overtaken.forEach(([, unsaved]) => forgetUnsaved(unsaved.key)) },
    ],
  });
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function isSame(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
