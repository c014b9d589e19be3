/**
 * Judgements on their way to the server, one after the other: only the newest one that waits is sent, each as a child of
 * the one acknowledged last. What could not be saved stays and is sent again.
 */

const AGAIN_MS = 3000;

export class Keeping {
  /** @param {(state: {saved: string, problem: string, seen?: {standing: any[], loose: any}}) => void} told */
  constructor(told) {
    this.told = told;
    this.queue = Promise.resolve();
    this.wanted = 0;
    this.acknowledged = 0;
  }

  /** @param {{address: string, token: string, writing: number, parent: number | null, savedAt: string}} data */
  configure({ address, token, writing, parent, savedAt }) {
    this.address = address;
    this.token = token;
    if (writing === this.writing) return;
    this.writing = writing;
    this.parent = parent;
    this.told({ saved: savedAt, problem: "" });
  }

  /** @param {object} said */
  save(said) {
    const mine = ++this.wanted;
    const { writing } = this;
    const body = JSON.stringify(said);
    this.queue = this.queue.then(async () => {
      // A newer one stands behind this one: it holds all that this one does.
      if (mine === this.wanted || writing !== this.writing) await this.insist(writing, body);
    });
  }

  /** @returns {Promise<boolean>} whether the judgement counts now */
  async submit() {
    await this.queue;
    if (this.parent === null) return false;
    const answer = await this.post(`${this.address}/${this.writing}/submitted/${this.parent}`, "");
    this.told({ saved: answer.saved_at ?? "", problem: answer.error ?? "" });
    return !answer.error;
  }

  /** @param {number} writing @param {string} body */
  async insist(writing, body) {
    for (;;) {
      const isHere = writing === this.writing;
      const parent = isHere && this.parent !== null ? `?parent=${this.parent}` : "";
      const answer = await this.post(`${this.address}/${writing}${parent}`, body);
      if (isHere && writing === this.writing) {
        this.parent = answer.judgement ?? this.parent;
        this.told({ saved: answer.saved_at ?? "", problem: answer.error ?? answer.conflict ?? "", seen: answer.standing ? answer : undefined });
      }
      if (!answer.again) return;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  /** @param {string} address @param {string} body
   * @returns {Promise<{judgement?: number, saved_at?: string, conflict?: string, standing?: any[], loose?: any, error?: string, again?: boolean}>} */
  async post(address, body) {
    const headers = { "Content-Type": "application/json", "X-Reading-Room-Token": this.token };
    try {
      const answer = await fetch(address, { method: "POST", headers, body });
      if (answer.status >= 500) return { error: "Not saved yet: the server is busy. It is tried again.", again: true };
      return await answer.json();
    } catch {
      return { error: "Not saved yet: the server does not answer. It is tried again.", again: true };
    }
  }
}
