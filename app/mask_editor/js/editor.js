/** The editor: what Python says comes in by update(), what the reader does by run(), and the parts are kept in step. */

import { HelpCard, Notices, SuggestionBar } from "./cards.js";
import { make } from "./dom.js";
import { Gestures } from "./gestures.js";
import { Header } from "./header.js";
import { Keyboard } from "./keys.js";
import { warm } from "./loading.js";
import { Pane } from "./pane.js";
import { offerBack } from "./recovery.js";
import { fitHeight } from "./room.js";
import { Answers } from "./answers.js";
import { LARGEST_BRUSH, Toolbar } from "./toolbar.js";
import { BrushStroke, fillHoles, FillStroke, LassoStroke } from "./tools.js";
import { workspace } from "./workspace.js";

/**
 * @typedef {object} StudyData
 * @property {string} study_id @property {string} reader @property {string} token @property {boolean} read_only
 * @property {import("./loading.js").Routes} routes @property {import("./documents.js").ImageData[]} images
 * @property {string | null} active_finding @property {string[]} prefetch @property {string[]} reject_reasons
 * @property {boolean} can_turn @property {number} bottom_gap
 *
 * @typedef {object} Streamlit
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

const ECHO_MS = 4000;
const HINT_MS = 3500;

export class Editor {
  /** @param {ShadowRoot | HTMLElement} parent */
  constructor(parent) {
    this.look = workspace.look;
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
    this.presetName = "";
    /** @type {string | null | undefined} */
    this.askedFinding = undefined;
    /** Findings picked here that Python may yet echo. @type {{finding: string, at: number}[]} */
    this.picked = [];
    this.warmed = "";

    this.answers = new Answers(this);
    this.header = new Header({
      pickView: (index) => this.showView(index),
      pickFinding: (finding) => this.pickFinding(finding),
      toggleFinding: (finding) => this.toggleFinding(finding),
      retry: () => this.retry(),
    });
    this.toolbar = new Toolbar((id) => this.run(id, null), {
      brush: (diameter) => this.setBrush(diameter),
      opacity: (share) => this.setLook({ opacity: share }),
      window: (index) => this.usePreset(index),
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
    this.keyboard = new Keyboard(
      (command, event) => this.press(command, event),
      (command) => this.release(command.id),
    );
    this.room = fitHeight(this.root, () => this.data?.bottom_gap ?? 0);
    this.root.addEventListener("pointerdown", () => this.comeForward(), { capture: true });
    this.root.addEventListener("keyup", (event) => this.root.toggleAttribute("data-tabbing", event.key === "Tab"));
    workspace.editors.add(this);
    workspace.foremost ??= this;
  }

  comeForward() {
    workspace.foremost = this;
    this.root.removeAttribute("data-tabbing");
  }

  /** @param {StudyData} data @param {Streamlit} streamlit */
  update(data, streamlit) {
    const isNewStudy = data.study_id !== this.data?.study_id;
    this.data = data;
    this.streamlit = streamlit;
    if (!data.read_only) this.saver.configure(data.reader, data.token, data.routes);
    const known = new Set(this.films);
    const refresh = () => workspace.refresh();
    this.films = data.images.map((image) => workspace.documents.take(data.reader, image, data.routes, refresh));
    for (const film of this.films) {
      if (!known.has(film) && !data.read_only) offerBack(film, data.reader, this);
    }
    if (isNewStudy) {
      this.notices.clear();
      this.answers.forget();
      this.picked = [];
      const wasBeside = this.panes.length > 1;
      this.view = wasBeside && this.films.length > 1 ? this.films.length : 0;
    }
    this.adoptFinding(data.active_finding, isNewStudy);
    this.layOut(isNewStudy);
    workspace.documents.forget(this.films);
    this.room.fit();
    this.refresh();
    this.showStatus(this.saver.status());
    this.warmNext();
  }

  /** @param {string | null} asked by Python @param {boolean} isNewStudy */
  adoptFinding(asked, isNewStudy) {
    const now = Date.now();
    this.picked = this.picked.filter((each) => now - each.at < ECHO_MS);
    const echo = this.picked.findIndex((each) => each.finding === asked);
    if (asked !== this.askedFinding && echo >= 0) {
      // Python catching up with a choice made here must not undo a newer one.
      this.picked.splice(0, echo + 1);
    } else if (asked !== null && (isNewStudy || asked !== this.askedFinding)) {
      this.look.finding = asked;
    }
    this.askedFinding = asked;
    const layers = this.films.flatMap((film) => film.layers);
    if (!layers.some((layer) => layer.finding === this.look.finding)) {
      this.look.finding = (layers.find((layer) => layer.editable) ?? layers[0])?.finding ?? null;
    }
  }

  /** Show the right films in the right number of panes. @param {boolean} isNewStudy */
  layOut(isNewStudy) {
    const isBeside = this.view >= this.films.length;
    const wanted = isBeside ? this.films : this.films.slice(this.view, this.view + 1);
    const isSame = wanted.length === this.panes.length && wanted.every((film, i) => film === this.panes[i].film);
    if (!isSame) {
      const kept = this.pane?.viewport.width !== 1 ? (this.pane?.viewport.mode() ?? null) : null;
      for (const pane of this.panes) {
        pane.film.zoomMode = pane.viewport.mode();
        pane.remove();
      }
      this.panes = wanted.map((film) => new Pane(film, this.look, isNewStudy ? kept : film.zoomMode));
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

  /** Bring every part in step with the state. */
  refresh() {
    const { pane, look, data } = this;
    if (!data) return;
    for (const each of this.panes) {
      this.keepPreset(each.film);
      each.element.classList.toggle("active", each === pane && this.panes.length > 1);
      each.caption.textContent = each.film.data.view;
      each.caption.hidden = this.panes.length < 2;
      each.applyWindow();
      const flaw = each.film.failure || each.film.layers.find((layer) => layer.state === "failed")?.failure;
      if (flaw) this.notices.show(`load-${each.film.id}`, flaw, { actions: [{ says: "Try again", run: () => this.retry() }] });
      else this.notices.dismiss(`load-${each.film.id}`);
    }
    const layer = this.layer();
    this.header.showFindings(pane?.film.layers ?? [], look.finding, (each) => this.sizeOf(each));
    const open = pane?.openSuggestions() ?? [];
    this.suggestion.show(this.answers.current(), Math.max(0, open.length - 1));
    this.toolbar.show(pane, look, {
      canDraw: !data.read_only,
      canUndo: !!layer?.history.done.length,
      canRedo: !!layer?.history.undone.length,
      canTurn: data.can_turn && !data.read_only,
    });
    this.root.dataset.tool = look.tool;
    this.root.classList.toggle("reading", data.read_only);
  }

  /** @returns {import("./documents.js").Layer | null} the one being drawn */
  layer() {
    return this.pane?.film.layer(this.look.finding) ?? null;
  }

  /** @param {import("./documents.js").Layer} layer @returns {string} its area in words */
  sizeOf(layer) {
    const spacing = layer.film.data.pixel_spacing_mm;
    if (!layer.area) return "";
    return spacing ? `${((layer.area * spacing * spacing) / 100).toFixed(1)} cm²` : `${layer.area.toLocaleString("en")} px`;
  }

  /** @param {import("./saving.js").SaveStatus} status */
  showStatus(status) {
    this.header.showStatus(status, this.data?.read_only ?? false);
    if (status.state === "failed") this.notices.show("save", `Not saved. ${status.reason} The drawing is kept here and sent again.`);
    else if (status.state === "saved") this.notices.dismiss("save");
  }

  /** @param {import("./documents.js").Layer} layer @param {string} sentence */
  tellConflict(layer, sentence) {
    if (this.films.includes(layer.film)) this.notices.show(`conflict-${layer.finding}`, `${layer.name}: ${sentence}`);
  }

  /** Fetch and send again what failed. */
  retry() {
    this.saver.retryNow();
    for (const film of this.films) if (this.data) film.retry(this.data.routes, () => workspace.refresh());
  }

  // What a key or a button asks for.

  /** @param {import("./keys.js").Command} command @param {KeyboardEvent} event @returns {boolean} whether it was for us */
  press(command, event) {
    if (workspace.foremost !== this || this.root.getClientRects().length === 0) return false;
    if (document.querySelector("[role=dialog]")) return false;
    const isDrawing = this.panes.some((pane) => pane.stroke);
    if (isDrawing && !["hide", "close"].includes(command.id)) return true;
    if (this.help.isOpen && !["help", "close"].includes(command.id)) return true;
    if (this.suggestion.isAsking && command.id === "finding") return this.answers.pickReason(Number(event.code.slice(-1)) - 1);
    return this.run(command.id, event);
  }

  /** @param {string} id @param {KeyboardEvent | null} event null: from a button @returns {boolean} */
  run(id, event) {
    const { look, pane } = this;
    const digit = Number(event?.code.slice(-1)) - 1;
    switch (id) {
      case "brush": case "erase": case "lasso": case "fill":
        if (!this.data?.read_only) this.setLook({ tool: id });
        return true;
      case "fill-all": this.fillAll(); return true;
      case "smaller": this.resizeBrush(-1); return true;
      case "larger": this.resizeBrush(1); return true;
      case "undo": case "redo": this.step(id); return true;
      case "zoom-in": this.zoomBy(1.25); return true;
      case "zoom-out": this.zoomBy(0.8); return true;
      case "fit":
        pane?.viewport.fit();
        pane?.redraw();
        this.refresh();
        return true;
      case "actual-size": this.zoomTo(1 / (devicePixelRatio || 1)); return true;
      case "pan": this.root.classList.add("panning"); return true;
      case "preset": this.usePreset(digit); return true;
      case "invert": this.setLook({ inverted: !look.inverted }); return true;
      case "view": this.showView((this.view + 1) % (this.films.length > 1 ? this.films.length + 1 : 1)); return true;
      case "outline": this.setLook({ outlineOnly: !look.outlineOnly }); return true;
      case "hide": this.setLook({ hidden: event ? true : !look.hidden }); return true;
      case "finding": {
        const layer = pane?.film.layers[digit];
        if (layer) this.pickFinding(layer.finding);
        return true;
      }
      case "accept": case "correct": case "reject": this.answers[id](); return true;
      case "submit":
        if (!this.data?.read_only) this.answers.send("submit");
        return true;
      case "next": case "previous": this.answers.send(id); return true;
      case "help": this.help.toggle(); return true;
      case "close": return this.closeSomething();
      default: return false;
    }
  }

  /** @param {string} id of the command whose key was let go */
  release(id) {
    if (id === "hide") this.setLook({ hidden: false });
    if (id === "pan") this.root.classList.remove("panning");
  }

  /** @returns {boolean} whether there was something to close */
  closeSomething() {
    if (this.help.isOpen) this.help.hide();
    else if (this.panes.some((pane) => pane.stroke)) for (const each of this.gestures) each.drop();
    else if (this.suggestion.isAsking) this.suggestion.ask([]);
    else return false;
    return true;
  }

  /** @param {Partial<import("./pane.js").Look>} change */
  setLook(change) {
    Object.assign(this.look, change);
    workspace.keepPreferences();
    this.refresh();
  }

  /** @param {number} diameter */
  setBrush(diameter) {
    this.setLook({ brush: Math.min(LARGEST_BRUSH, Math.max(1, Math.round(diameter))) });
  }

  /** @param {number} steps */
  resizeBrush(steps) {
    const by = Math.max(1, Math.round(this.look.brush * 0.15));
    this.setBrush(this.look.brush + Math.sign(steps) * by);
  }

  /** @param {number} factor */
  zoomBy(factor) {
    if (!this.pane) return;
    const { viewport, hover } = this.pane;
    const x = hover ? hover.x * viewport.scale + viewport.offsetX : viewport.width / 2;
    const y = hover ? hover.y * viewport.scale + viewport.offsetY : viewport.height / 2;
    viewport.zoomAt(x, y, factor);
    this.moved(this.pane);
  }

  /** @param {number} scale CSS pixels to a film pixel */
  zoomTo(scale) {
    if (!this.pane) return;
    const { viewport } = this.pane;
    viewport.zoomAt(viewport.width / 2, viewport.height / 2, scale / viewport.scale);
    this.moved(this.pane);
  }

  /** @param {number} index */
  usePreset(index) {
    const preset = this.pane?.film.windows[index];
    if (!this.pane || !preset) return;
    this.presetName = preset.name;
    this.pane.film.window = { ...preset };
    this.refresh();
  }

  /** A preset that the reader chose goes along to the next film. @param {import("./documents.js").FilmDocument} film */
  keepPreset(film) {
    if (film.isWindowed || !film.film) return;
    film.isWindowed = true;
    const preset = film.windows.find((each) => each.name === this.presetName);
    if (preset) film.window = { ...preset };
  }

  /** @param {number} view */
  showView(view) {
    this.view = view;
    this.layOut(false);
    this.refresh();
  }

  /** @param {string} finding */
  pickFinding(finding) {
    if (finding === this.look.finding) return;
    this.picked.push({ finding, at: Date.now() });
    this.setLook({ finding });
    this.streamlit?.setStateValue("finding", finding);
  }

  /** @param {string} finding */
  toggleFinding(finding) {
    for (const film of this.films) {
      const layer = film.layer(finding);
      if (layer) layer.isShown = !layer.isShown;
    }
    this.refresh();
  }

  /** @param {"undo" | "redo"} way */
  step(way) {
    const layer = this.layer();
    if (!layer || this.whyNot(layer) || !layer.step(way)) return;
    this.saver.changed(layer);
    this.refresh();
  }

  fillAll() {
    const layer = this.layer();
    const why = layer ? this.whyNot(layer) : "Pick a finding first.";
    if (why || !layer) return this.hint(why);
    if (!fillHoles(layer)) return this.hint(`${layer.name} has no holes.`);
    this.saver.changed(layer);
    this.refresh();
  }

  /** @param {string} sentence */
  hint(sentence) {
    if (sentence) this.notices.show("hint", sentence, { lasts: HINT_MS });
  }

  /** @param {import("./documents.js").Layer} layer @returns {string} why it cannot be drawn on, or "" */
  whyNot(layer) {
    if (this.data?.read_only) return "This study is open for reading only.";
    if (!layer.editable) return `${layer.name} is shown for reading only.`;
    if (layer.state === "loading") return `${layer.name} is still loading.`;
    if (layer.state === "failed") return `${layer.name} could not be loaded, so it is not drawn on. Try again first.`;
    return "";
  }

  // What the pointer does: see Hands in gestures.js.

  /** @param {Pane} pane */
  activate(pane) {
    if (pane === this.pane) return;
    this.pane = pane;
    this.refresh();
  }

  /** @param {Pane} pane @param {import("./masks.js").Point} point @param {boolean} erase */
  begin(pane, point, erase) {
    const layer = pane.film.layer(this.look.finding);
    const why = layer ? this.whyNot(layer) : "Pick or add a finding first.";
    if (why || !layer) {
      this.hint(why);
      return null;
    }
    layer.isBeingDrawn = true;
    if (!layer.isShown) this.toggleFinding(layer.finding);
    const tool = erase ? "erase" : this.look.tool;
    if (tool === "lasso") return new LassoStroke(layer, point);
    if (tool === "fill") return new FillStroke(layer, point);
    return new BrushStroke(layer, point, this.look.brush, tool === "erase" ? 0 : 1);
  }

  /** @param {Pane} pane @param {boolean} cut */
  finish(pane, cut) {
    const { stroke } = pane;
    if (!stroke) return;
    pane.stroke = null;
    stroke.layer.isBeingDrawn = false;
    const { changed, says } = stroke.end(cut);
    if (changed) this.saver.changed(stroke.layer);
    this.hint(says);
    this.refresh();
  }

  /** @param {Pane} pane */
  cancel(pane) {
    const { stroke } = pane;
    pane.stroke = null;
    if (!stroke) return;
    stroke.layer.isBeingDrawn = false;
    stroke.cancel();
    this.refresh();
  }

  isSpaceHeld() {
    return this.keyboard.isHeld("pan");
  }

  /** @param {Pane} pane */
  windowed(pane) {
    this.presetName = "";
    pane.applyWindow();
    this.refresh();
  }

  /** @param {Pane} pane */
  moved(pane) {
    pane.redraw();
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
    for (const gesture of this.gestures) gesture.drop();
    for (const pane of this.panes) pane.remove();
    this.keyboard.stop();
    this.room.stop();
    workspace.editors.delete(this);
    if (workspace.foremost === this) workspace.foremost = [...workspace.editors][0] ?? null;
    this.root.remove();
  }
}
