/** The strip above the film: views, findings, and whether what was drawn is saved. */

import { make } from "./make.js";

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class Header {
  /**
   * @param {{pickView: (index: number) => void, pickFinding: (finding: string) => void,
   *   toggleFinding: (finding: string) => void, retry: () => void}} on
   */
  constructor(on) {
    this.on = on;
    this.views = make("div", { class: "views", role: "group", "aria-label": "Views" });
    this.findings = make("div", { class: "findings", role: "group", "aria-label": "Finding to draw" });
    this.findings.addEventListener(
      "wheel",
      (event) => {
        this.findings.scrollLeft += event.deltaY || event.deltaX;
        event.preventDefault();
      },
      { passive: false },
    );
    this.light = make("span", { class: "dot" });
    this.words = make("span", { class: "words" });
    this.status = make("button", { class: "status", type: "button", testid: "editor-save-status", "aria-live": "polite" }, [
      this.light,
      this.words,
    ]);
    this.status.addEventListener("click", () => on.retry());
    this.element = make("header", { class: "header" }, [this.views, this.findings, this.status]);
    this.shape = "";
  }

  /**
   * @param {string[]} labels of the views, then "Side by side" where there are several @param {number} current
   */
  showViews(labels, current) {
    this.views.replaceChildren(
      ...labels.map((label, i) => {
        const tab = make("button", {
          class: "view",
          type: "button",
          text: label,
          testid: `editor-view-${i}`,
          "aria-pressed": i === current ? "true" : "false",
          "data-tip": "Next view  ·  V",
        });
        tab.addEventListener("click", () => this.on.pickView(i));
        return tab;
      }),
    );
    this.views.hidden = labels.length < 2;
  }

  /** @param {import("./layers.js").Layer[]} layers @param {string | null} active @param {(layer: import("./layers.js").Layer) => string} size */
  showFindings(layers, active, size) {
    const shape = JSON.stringify(
      layers.map((l) => [l.finding, l.name, l.colour, l.isShown, l.editable, l.state, size(l), l.finding === active]),
    );
    if (shape === this.shape) return;
    this.shape = shape;
    this.findings.replaceChildren(...layers.map((layer, i) => this.chip(layer, i, layer.finding === active, size(layer))));
    this.findings.querySelector(".pick[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {import("./layers.js").Layer} layer @param {number} index @param {boolean} isActive @param {string} size */
  chip(layer, index, isActive, size) {
    const eye = make("button", {
      class: "eye",
      type: "button",
      testid: `editor-eye-${layer.finding}`,
      "aria-label": `${layer.isShown ? "Hide" : "Show"} ${layer.name}`,
      "aria-pressed": layer.isShown ? "true" : "false",
      title: layer.isShown ? "Hide this finding" : "Show this finding",
    });
    eye.style.setProperty("--finding", layer.colour);
    eye.addEventListener("click", () => this.on.toggleFinding(layer.finding));
    const key = index < 9 ? String(index + 1) : "";
    const pick = make(
      "button",
      {
        class: "pick",
        type: "button",
        testid: `editor-finding-${layer.finding}`,
        "aria-pressed": isActive ? "true" : "false",
        "aria-keyshortcuts": key || null,
        // The strip scrolls and would cut a tooltip of ours off.
        title: [layer.editable ? "Draw" : "Look at", layer.name, size && `(${size})`, key && ` ·  ${key}`].filter(Boolean).join(" "),
      },
      [
        make("span", { class: "name", text: layer.name }),
        layer.state === "failed" ? make("span", { class: "flaw", text: "not loaded" }) : null,
        key ? make("kbd", { text: key }) : null,
      ],
    );
    pick.addEventListener("click", () => this.on.pickFinding(layer.finding));
    return make("span", { class: `chip${isActive ? " active" : ""}${layer.isShown ? "" : " unseen"}` }, [eye, pick]);
  }

  /** @param {import("./saving.js").SaveStatus} status @param {boolean} isReadOnly */
  showStatus(status, isReadOnly) {
    const words = {
      idle: isReadOnly ? "read only" : "no changes yet",
      saving: "saving",
      saved: `saved ${status.at ? TIME.format(status.at) : ""}`,
      failed: "not saved",
    };
    this.status.dataset.state = status.state;
    this.words.textContent = words[status.state];
    const many = `${status.what} ${status.behind === 1 ? "is" : "are"}`;
    this.status.dataset.tip =
      status.state === "failed" ? `${status.reason} ${many} kept in this browser and sent again. Click to send now.` : "";
  }
}
