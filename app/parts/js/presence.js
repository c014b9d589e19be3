/** The light that says whether the server hears us, and the cookie that remembers who reads in this browser. */

import { make } from "../../mask_editor/js/make.js";
import { rootOf } from "./dom.js";

const EVERY_MS = 5000;
const YEAR_SECONDS = 31536000;

/** @type {WeakMap<Node, {timer: number}>} */
const beating = new WeakMap();

async function hears() {
  try {
    return (await fetch("/_stcore/health", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const { data, parentElement } = component;
  const root = rootOf(parentElement, "presence");
  if (data.reader) {
    document.cookie = `${data.cookie}=${encodeURIComponent(data.reader)}; path=/; max-age=${YEAR_SECONDS}; SameSite=Strict`;
  }
  if (!root.firstChild) root.append(make("span", { class: "dot" }));
  if (beating.has(parentElement)) return undefined;
  const look = async () => {
    const isHeard = await hears();
    root.dataset.state = isHeard ? "on" : "off";
    root.title = isHeard ? "Connected to the server" : "The server does not answer. Drawings are kept in this browser.";
  };
  look();
  const state = { timer: setInterval(look, EVERY_MS) };
  beating.set(parentElement, state);
  return () => {
    setTimeout(() => {
      if (root.isConnected) return;
      clearInterval(state.timer);
      beating.delete(parentElement);
    });
  };
}
