/**
 * An answer is awaited. What is said meanwhile is changed here; the page is drawn anew once the answer is there and
 * the reader is calm.
 *
 * @typedef {{first: string, late: string, asleep: string, patience: number}} Words
 * @typedef {{address: string, waited: number, words: Words, awake: boolean, most: number | null}} Data
 */

import { Calm } from "./calm.js";
import { rootOf } from "./dom.js";

const EVERY_MS = 250;
const AGAIN_MS = 3000;

/** @type {WeakMap<Node, Waiting>} */
const waits = new WeakMap();

class Waiting {
  /** @param {ShadowRoot} parent */
  constructor(parent) {
    this.root = rootOf(parent, "waiting");
    this.root.classList.add("faint");
    this.root.setAttribute("role", "status");
    this.data = /** @type {Data | null} */ (null);
    this.since = 0;
    this.told = -Infinity;
    this.isLooking = false;
    this.send = (/** @type {string} */ _address) => {};
    this.leaving = new AbortController();
    this.calm = new Calm(this.leaving.signal);
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  /** @param {any} component */
  update({ data, setTriggerValue }) {
    this.send = (address) => setTriggerValue("over", address);
    if (this.data?.address !== data.address) {
      this.since = performance.now() - 1000 * data.waited;
      this.told = -Infinity;
    }
    this.data = data;
    this.say(data.awake);
  }

  async look() {
    const { data } = this;
    if (!data || this.isLooking || performance.now() - this.told < AGAIN_MS) return;
    this.isLooking = true;
    const found = await asked(data.address);
    this.isLooking = false;
    if (this.data?.address !== data.address) return;
    if (found?.waits && !this.isOver()) return this.say(found.awake);
    if (!found && !this.isOver()) return;
    if (!this.calm.is || !this.root.isConnected) return;
    this.told = performance.now();
    this.send(data.address);
  }

  seconds() {
    return (performance.now() - this.since) / 1000;
  }

  isOver() {
    return this.data?.most != null && this.seconds() > this.data.most;
  }

  /** @param {boolean} isAwake */
  say(isAwake) {
    if (!this.data) return;
    const { words } = this.data;
    const told = isAwake ? (this.seconds() < words.patience ? words.first : words.late) : words.asleep;
    if (this.root.textContent !== told) this.root.textContent = told;
  }
}

/** What the server says of the question; null where it does not answer. @param {string} address
 * @returns {Promise<{waits: boolean, awake: boolean} | null>} */
async function asked(address) {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** @param {any} component as Streamlit passes it */
export default function open(component) {
  const parent = component.parentElement;
  const wait = waits.get(parent) ?? new Waiting(parent);
  waits.set(parent, wait);
  wait.update(component);
  return () => {
    setTimeout(() => {
      if (wait.root.isConnected) return;
      clearInterval(wait.timer);
      wait.leaving.abort();
      waits.delete(parent);
    });
  };
}
