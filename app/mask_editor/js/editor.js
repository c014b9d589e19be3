/** The editor: what Python says comes in by update(), what the reader does by run(), and the parts are kept in step. */

import { ACTIONS, RELEASES } from "./actions.js";
import { Answers } from "./answers.js";
import { Assessor } from "./assessing.js";
import { Beside } from "./beside.js";
import { HelpCard, Notices, SuggestionBar } from "./cards.js";
import { Gestures } from "./gestures.js";
import { Hands } from "./hands.js";
import { Header } from "./header.js";
import { FindingInHand } from "./inhand.js";
import { warm } from "./loading.js";
import { make } from "./make.js";
import { Pane } from "./pane.js";
import { offerBack, offerLabelsBack } from "./recovery.js";
import { fitHeight } from "./room.js";
import { Sight } from "./sight.js";
import { Toolbar } from "./toolbar.js";
import { workspace } from "./workspace.js";

/**
 * @typedef {object} StudyData
 * @property {string} study_id @property {string} reader @property {string} token @property {boolean} read_only
 * @property {import("./loading.js").Routes} routes @property {import("./documents.js").ImageData[]} images
 * @property {string | null} active_finding @property {string[]} prefetch @property {string[]} reject_reasons
 * @property {string} heard the action that Python acted on last
 * @property {import("./labels.js").LabelData[]} labels the reader's words @property {import("./labels.js").LabelData[]} settled
 * @property {boolean} can_turn @property {boolean} suggestion_bar @property {number} bottom_gap
 *
 * @typedef {object} Streamlit
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

const HINT_MS = 3500;

export class Editor {
  /** @param {ShadowRoot | HTMLElement} parent */
  constructor(parent) {
    /** @type {import("./pane.js").Look} */
    this.look = { ...workspace.last.look };
    this.saver = workspace.saver;
    /** @type {StudyData | null} */
    this.data = null;
    /** @type {Streamlit | null} */
    this.streamlit = null;
    /** @type {import("./documents.js").FilmDocument[]} */
    this.films = [];
    /** @type {Pane[]} */
    this.panes = [];
    /** @type {Gestures[]} */
    this.gestures = [];
    /** @type {Pane | null} */
    this.pane = null;
    /** Which film is shown; one past the last is side by side. */
    this.view = 0;
    this.warmed = "";
    /** What the reader says of this study; null where nothing may be said. @type {import("./labels.js").StudyLabels | null} */
    this.labels = null;

    this.hand = new FindingInHand(this);
    this.answers = new Answers(this);
    this.assessor = new Assessor(this);
    this.hands = new Hands(this);
    this.sight = new Sight(this);
    this.header = new Header({
      pickView: (index) => this.showView(index),
      pickFinding: (finding) => this.hand.pick(finding),
      toggleFinding: (finding) => this.toggleFinding(finding),
      retry: () => this.retry(),
    });
    this.toolbar = new Toolbar((id) => this.run(id, null), {
      brush: (diameter) => this.sight.setBrush(diameter),
      opacity: (share) => this.setLook({ opacity: share }),
      window: (index) => this.sight.usePreset(index),
      turn: (orientation) => this.answers.send("orient", { orientation }),
    });
    this.toolbar.onUsed = () => this.pane?.upper.focus({ preventScroll: true });
    this.help = new HelpCard();
    this.help.onClosed = () => this.pane?.upper.focus({ preventScroll: true });
    this.notices = new Notices();
    this.suggestion = new SuggestionBar(
      (id) => this.run(id, null),
      (reason) => this.answers.rejectFor(reason),
    );
    this.empty = make("p", { class: "empty", testid: "editor-empty", hidden: true });
    this.stage = make("div", { class: "stage" });
    this.root = make("div", { class: "editor", testid: "mask-editor" }, [
      this.header.element,
      make("div", { class: "middle" }, [this.stage, this.empty, this.notices.element, this.suggestion.element]),
      this.toolbar.element,
      this.help.element,
    ]);
    parent.append(this.root);
    this.room = fitHeight(this.root, () => this.data?.bottom_gap ?? 0);
    this.root.addEventListener("pointerdown", () => this.comeForward(), { capture: true });
    this.root.addEventListener("keyup", (event) => this.root.toggleAttribute("data-tabbing", event.key === "Tab"));
    this.beside = new Beside(this);
    workspace.editors.add(this);
  }

  comeForward() {
    workspace.touched = this;
    this.root.removeAttribute("data-tabbing");
  }

  /** @param {StudyData} data @param {Streamlit} streamlit */
  update(data, streamlit) {
    const isNewStudy = data.study_id !== (this.data?.study_id ?? workspace.last.study);
    if (!this.data && !isNewStudy) this.view = workspace.last.view;
    this.data = data;
    this.streamlit = streamlit;
    if (!data.read_only) this.saver.configure(data.reader, data.token, data.routes);
    const known = new Set(this.films);
    const changed = () => workspace.redraw();
    this.films = data.images.map((image) => workspace.documents.take(data.reader, image, data.routes, changed));
    for (const film of this.films) {
      if (!known.has(film) && !data.read_only) offerBack(film, data.reader, this);
    }
    this.adoptLabels(data);
    if (isNewStudy) {
      this.notices.clear();
      this.answers.forget();
      this.assessor.settling = null;
      this.hand.forget();
      const isBeside = this.panes.length > 1 && this.films.length > 1;
      this.view = isBeside ? this.films.length : 0;
    }
    this.answers.hear(data.heard);
    this.hand.adopt(data.active_finding, isNewStudy);
    this.layOut(isNewStudy);
    if (isNewStudy) this.beside.catchUp();
    workspace.documents.forget();
    this.room.fit();
    this.redraw();
    this.showStatus(this.saver.status());
    this.warmNext();
  }

  /** @param {StudyData} data */
  adoptLabels(data) {
    const before = this.labels;
    this.labels = data.read_only ? null : workspace.labelsOf(data.reader, data.study_id);
    if (!this.labels) return;
    this.labels.adopt("reader", data.labels);
    this.labels.adopt("settled", data.settled);
    if (this.labels !== before) offerLabelsBack(this.labels, this);
  }

  /** Show the right films in the right number of panes. @param {boolean} isNewStudy */
  layOut(isNewStudy) {
    if (this.view > this.films.length) this.view = 0;
    const isBeside = this.view === this.films.length;
    const wanted = isBeside ? this.films : this.films.slice(this.view, this.view + 1);
    const isSame = wanted.length === this.panes.length && wanted.every((film, i) => film === this.panes[i].film);
    if (!isSame) {
      // The next study is looked at as closely as this one was.
      const zoom = this.pane?.lower.width ? this.pane.viewport.mode() : workspace.last.zoom;
      for (const gesture of this.gestures) gesture.drop();
      for (const pane of this.panes) pane.remove();
      this.panes = wanted.map((film) => new Pane(film, this.look, isNewStudy ? zoom : film.zoomMode));
      this.gestures = this.panes.map((pane) => new Gestures(pane, this));
      this.stage.replaceChildren(...this.panes.map((pane) => pane.element));
      this.pane = this.panes[0] ?? null;
    }
    this.stage.dataset.panes = String(this.panes.length);
    this.empty.hidden = this.films.length > 0;
    this.empty.textContent = "This study has no film.";
    const labels = this.films.map((film) => film.data.view);
    this.header.showViews(labels.length > 1 ? [...labels, "Side by side"] : labels, this.view);
  }

  /** Paint the films again, and bring the rest in step. */
  redraw() {
    for (const pane of this.panes) {
      this.sight.bringPreset(pane.film);
      pane.applyWindow();
      const flaw = pane.film.failure || pane.film.layers.find((layer) => layer.state === "failed")?.failure;
      const retry = { actions: [{ says: "Try again", run: () => this.retry() }] };
      if (flaw) this.notices.show(`load-${pane.film.id}`, flaw, retry);
      else this.notices.dismiss(`load-${pane.film.id}`);
    }
    this.refresh();
  }

  /** Bring everything around the films in step with the state. */
  refresh() {
    const { pane, look, data } = this;
    if (!data) return;
    if (!data.read_only) Object.assign(workspace.last, { study: data.study_id, view: this.view });
    for (const each of this.panes) {
      each.element.classList.toggle("active", each === pane && this.panes.length > 1);
      each.caption.textContent = each.film.data.view;
      each.caption.hidden = this.panes.length < 2;
    }
    const layer = this.layer();
    this.header.showFindings(pane?.film.layers ?? [], look.finding, sizeOf);
    const open = pane?.film.openSuggestions() ?? [];
    this.suggestion.show(this.answers.current(), Math.max(0, open.length - 1), data.suggestion_bar);
    this.toolbar.show(pane, look, {
      canDraw: !data.read_only,
      canUndo: !!(layer?.history.done.length || this.labels?.done.length),
      canRedo: !!(layer?.history.undone.length || this.labels?.undone.length),
      canTurn: data.can_turn && !data.read_only,
    });
    this.root.dataset.tool = look.tool;
    this.root.classList.toggle("reading", data.read_only);
    this.beside.tell();
  }

  /** @returns {import("./layers.js").Layer | null} the one being drawn */
  layer() {
    return this.pane?.film.layer(this.look.finding) ?? null;
  }

  /** @param {import("./saving.js").SaveStatus} status */
  showStatus(status) {
    this.header.showStatus(status, this.data?.read_only ?? false);
    if (status.state === "failed") {
      this.notices.show("save", `Not saved. ${status.reason} It is kept here and sent again.`);
    } else if (status.state === "saved") {
      this.notices.dismiss("save");
      this.notices.dismiss("send");
    }
    this.beside.tell();
  }

  /** @param {import("./layers.js").Layer | import("./labels.js").Label} thing @param {string} sentence */
  tellConflict(thing, sentence) {
    const isHere = "film" in thing ? this.films.includes(thing.film) : thing.book === this.labels;
    if (isHere) this.notices.show(`conflict-${thing.finding}`, `${thing.name}: ${sentence}`);
  }

  /** @param {string} sentence goes away by itself */
  hint(sentence) {
    if (sentence) this.notices.show("hint", sentence, { lasts: HINT_MS });
  }

  /** Fetch and send again what failed. */
  retry() {
    this.saver.retryNow();
    for (const film of this.films) if (this.data) film.retry(this.data.routes, () => workspace.redraw());
  }

  get isOnScreen() {
    return this.root.getClientRects().length > 0;
  }

  /** @param {import("./keys.js").Command} command */
  release(command) {
    RELEASES[command.id]?.(this);
  }

  /** @param {import("./keys.js").Command} command @param {KeyboardEvent} event @returns {boolean} whether it was for us */
  press(command, event) {
    if (document.querySelector("[role=dialog]")) return false;
    const isDrawing = this.panes.some((pane) => pane.stroke);
    if (isDrawing && !["hide", "close"].includes(command.id)) return true;
    if (this.help.isOpen && !["help", "close"].includes(command.id)) return true;
    if (this.suggestion.isAsking && command.id === "finding") {
      this.answers.pickReason(Number(event.code.slice(-1)) - 1);
      return true;
    }
    return this.run(command.id, event);
  }

  /** @param {string} id @param {KeyboardEvent | null} event null: from a button @returns {boolean} whether it was for us */
  run(id, event) {
    return ACTIONS[id]?.(this, event) !== false;
  }

  /** @returns {boolean} whether there was something to close */
  closeSomething() {
    if (this.help.isOpen) this.help.hide();
    else if (this.panes.some((pane) => pane.stroke)) for (const each of this.gestures) each.drop();
    else if (this.suggestion.isAsking) this.suggestion.ask([]);
    else return this.assessor.stopSettling();
    return true;
  }

  /** @param {Partial<import("./pane.js").Look>} change */
  setLook(change) {
    Object.assign(this.look, change);
    if (!this.data?.read_only) workspace.keepLook(this.look);
    this.redraw();
  }

  /** @param {number} view */
  showView(view) {
    this.view = view;
    this.layOut(false);
    this.redraw();
  }

  /** @param {string} finding */
  toggleFinding(finding) {
    for (const film of this.films) {
      const layer = film.layer(finding);
      if (layer) layer.isShown = !layer.isShown;
    }
    this.redraw();
  }

  /** @param {Pane} pane */
  activate(pane) {
    if (pane === this.pane) return;
    this.pane = pane;
    this.refresh();
  }

  warmNext() {
    const { data } = this;
    const wanted = JSON.stringify(data?.prefetch);
    if (!data || wanted === this.warmed) return;
    this.warmed = wanted;
    const isReady = () => this.films.every((film) => film.film || film.failure);
    const start = () => (isReady() ? warm(data.routes, data.prefetch) : setTimeout(start, 200));
    start();
  }

  remove() {
    if (this.pane && !this.data?.read_only) workspace.last.zoom = this.pane.viewport.mode();
    for (const gesture of this.gestures) gesture.drop();
    for (const pane of this.panes) pane.remove();
    this.room.stop();
    this.beside.remove();
    workspace.editors.delete(this);
    this.root.remove();
  }
}

/** @param {import("./layers.js").Layer} layer @returns {string} its area in words */
function sizeOf(layer) {
  const spacing = layer.film.data.pixel_spacing_mm;
  if (!layer.area) return "";
  return spacing ? `${((layer.area * spacing * spacing) / 100).toFixed(1)} cm²` : `${layer.area.toLocaleString("en")} px`;
}
