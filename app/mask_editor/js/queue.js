/**
 * One thing that is saved as often as it changes: one save under way at a time, and after it only the newest state. A
 * save counts when the server has acknowledged it, never before. What extends this says in `send` how it is sent.
 */

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 20000;

export class SaveQueue {
  /** @param {import("./saving.js").Saver} saver @param {"drawing" | "label"} thing what is saved, for sentences */
  constructor(saver, thing) {
    this.saver = saver;
    this.thing = thing;
    this.reader = saver.reader;
    this.revision = 0;
    this.saved = 0;
    this.failures = 0;
    this.failure = "";
    /** @type {Promise<boolean> | null} */
    this.running = null;
    this.timer = 0;
  }

  get isBehind() {
    return this.revision > this.saved;
  }

  /** What is to be saved has changed. */
  changed() {
    this.revision++;
    // While a save is under way this one waits, and waits longer if that fails: the browser has it at once.
    if (this.running) this.keep();
    this.pump();
  }

  /** Save until nothing is left to save. @returns {Promise<boolean>} false when the server did not take it */
  pump() {
    clearTimeout(this.timer);
    this.running ??= this.run().finally(() => {
      this.running = null;
      this.saver.tell();
    });
    this.saver.tell();
    return this.running;
  }

  async run() {
    while (this.isBehind) {
      const { revision } = this;
      try {
        // The page's token names who reads now: another's work must not be signed with it.
        if (this.reader !== this.saver.reader) throw new Error(`It is ${this.reader}'s, and is sent when ${this.reader} reads here again.`);
        await this.send();
        this.saved = revision;
        this.failures = 0;
        this.failure = "";
        this.acknowledged();
      } catch (error) {
        this.failure = error instanceof Error ? error.message : String(error);
        this.failures++;
        const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
        this.timer = setTimeout(() => this.pump(), wait);
        return false;
      }
      this.saver.tell();
    }
    return true;
  }

  /** Keep a copy of the newest state in this browser. */
  keep() {}

  /** Keep and post the newest state. @returns {Promise<void>} settled when the server has acknowledged it, or has not */
  async send() {}

  /** The server has taken what `send` sent. */
  acknowledged() {}
}
