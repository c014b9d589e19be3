/**
 * The door that Streamlit knocks at. It calls on every rerun with the newest data and on the same parent; the editor
 * that stands there takes the news and keeps its strokes, its zoom and its undo.
 */

import { Editor } from "./editor.js";

/** @type {WeakMap<Node, Editor>} */
const editors = new WeakMap();

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const editor = editors.get(parent) ?? new Editor(parent);
  editors.set(parent, editor);
  editor.update(component.data, component);
  return () => {
    // Streamlit also cleans up after a call that a newer one overtook; only an editor that left the page is done with.
    setTimeout(() => {
      if (editor.root.isConnected) return;
      editor.remove();
      editors.delete(parent);
    });
  };
}
