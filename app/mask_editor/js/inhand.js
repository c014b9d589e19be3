/** Which finding is in hand: picked here, or chosen by Python, and neither undoes what the other chose since. */

const ECHO_MS = 4000;

export class FindingInHand {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {string | null | undefined} */
    this.asked = undefined;
    /** Picked here, and perhaps yet to be echoed by Python. @type {{finding: string, at: number}[]} */
    this.picked = [];
    this.count = 0;
  }

  /** A new study is open. */
  forget() {
    this.picked = [];
  }

  /** @param {string | null} asked by Python @param {boolean} isNewStudy */
  adopt(asked, isNewStudy) {
    const { look, films } = this.editor;
    const now = Date.now();
    this.picked = this.picked.filter((each) => now - each.at < ECHO_MS);
    const echo = this.picked.findIndex((each) => each.finding === asked);
    if (asked !== this.asked && echo >= 0) {
      // Python catching up with a choice made here must not undo a newer one.
      this.picked.splice(0, echo + 1);
    } else if (asked !== null && (isNewStudy || asked !== this.asked)) {
      look.finding = asked;
    }
    this.asked = asked;
    const layers = films.flatMap((film) => film.layers);
    if (!layers.some((layer) => layer.finding === look.finding)) {
      look.finding = (layers.find((layer) => layer.editable) ?? layers[0])?.finding ?? null;
    }
  }

  /** @param {string} finding */
  pick(finding) {
    const { editor } = this;
    if (finding === editor.look.finding) return;
    editor.assessor.stopSettling();
    this.picked.push({ finding, at: Date.now() });
    editor.setLook({ finding });
    this.count++;
    // A value and no trigger, which is lost when another interaction follows; numbered, so that Python takes the same
    // finding for a new pick when it has chosen another one itself meanwhile.
    editor.streamlit?.setStateValue("finding", { finding, pick: `${Date.now()}-${this.count}` });
  }
}
