/** A pulse: draws what it stands in anew, over and over, but never while the reader acts or looks elsewhere. */

import { Calm } from "./calm.js";
import { rootOf } from "./dom.js";

const EVERY_MS = 100;
const LOST_MS = 10000;

/** @type {WeakMap<Node, Pulse>} */
const pulses = new WeakMap();

class Pulse {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "pulse");
    this.due = Infinity;
    this.beats = 0;
    this.send = (/** @type {number} */ _beat) => {};
    this.leaving = new AbortController();
    this.calm = new Calm(this.leaving.signal);
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.send = (beat) => setTriggerValue("beat", beat);
    this.due = performance.now() + 1000 * data.seconds;
  }

  look() {
    if (performance.now() < this.due || document.hidden || !this.calm.is || !this.root.isConnected) return;
    this.due = performance.now() + LOST_MS;
    this.beats += 1;
    this.send(this.beats);
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const pulse = pulses.get(parent) ?? new Pulse(parent);
  pulses.set(parent, pulse);
  pulse.update(component);
  return () => {
    setTimeout(() => {
      if (pulse.root.isConnected) return;
      clearInterval(pulse.timer);
      pulse.leaving.abort();
      pulses.delete(parent);
    });
  };
}
