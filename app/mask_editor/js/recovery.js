/** Drawings that an earlier page kept because the server never acknowledged them: offered back, never forced. */

import { decodeRuns } from "./masks.js";
import { findUnsaved, forgetUnsaved } from "./offline.js";

const TIME = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/**
 * @param {import("./documents.js").FilmDocument} film @param {string} reader
 * @param {import("./editor.js").Editor} editor
 */
export async function offerBack(film, reader, editor) {
  const kept = await findUnsaved(reader, film.id, film.sha);
  for (const unsaved of kept) {
    const layer = film.layer(unsaved.finding);
    if (!layer || !layer.editable || layer.save?.isBehind) continue;
    const drop = () => forgetUnsaved(reader, film.id, film.sha, unsaved.finding);
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

/** @param {Uint8Array} a @param {Uint8Array} b */
function isSame(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
