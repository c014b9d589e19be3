/** The pictures on the buttons. */

const SVG = "http://www.w3.org/2000/svg";

/** Drawn on a 16 x 16 grid with a round pen. */
const ICONS = {
  brush: ["M13.5 2.5 7.2 8.8", "M7.2 8.8c-1.6-.6-3.3.4-3.5 2.2-.1 1-.6 1.8-1.7 2.3 2.7 1 6 .3 6.2-2.5.1-.8-.3-1.6-1-2z"],
  erase: ["M6.2 13.2 2.6 9.6a1 1 0 0 1 0-1.4l5.6-5.6a1 1 0 0 1 1.4 0l3.8 3.8a1 1 0 0 1 0 1.4L8 13.2z", "M5.3 5.6l5.1 5.1", "M6 13.2h7.5"],
  lasso: ["M8 2.5c3.3 0 6 1.7 6 4s-2.7 4-6 4-6-1.7-6-4 2.7-4 6-4z", "M4.3 9.6c-1 .5-1.3 1.6-.5 2.2.9.7 1.2 1 .6 2.2"],
  fill: ["M7 2.5 2.5 7a1 1 0 0 0 0 1.4l3.6 3.6a1 1 0 0 0 1.4 0L12 7.5z", "M5.5 1.5l6.5 6", "M13.5 10.5c.8 1.2 1 1.7 1 2.2a1 1 0 0 1-2 0c0-.5.2-1 1-2.2z"],
  outline: ["M8 2.5c3 0 5.5 2.3 5.5 5.5S11 13.5 8 13.5 2.5 11.2 2.5 8 5 2.5 8 2.5z"],
  undo: ["M5.5 3 2.5 6l3 3", "M2.5 6h6.7a4 4 0 0 1 0 8H6.5"],
  redo: ["M10.5 3l3 3-3 3", "M13.5 6H6.8a4 4 0 0 0 0 8h2.7"],
  hide: ["M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z", "M8 6.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z"],
  invert: ["M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z", "M8 2.5v11", "M10 4v8M12 5.5v5"],
  fit: ["M2.5 6V2.5H6", "M10 2.5h3.5V6", "M13.5 10v3.5H10", "M6 13.5H2.5V10"],
  turn: ["M12.8 6A5.3 5.3 0 1 0 13.3 9", "M13.3 2.5V6H9.8"],
  views: ["M2.5 3h11v10h-11z", "M8 3v10"],
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
