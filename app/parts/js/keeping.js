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
    this.sheet = "";
    this.wanted = 0;
    this.acknowledged = 0;
  }

  /** @param {{address: string, token: string, sheet: string, writing: number, parent: number | null, savedAt: string}} data
   *   `sheet` names the report and whose judgement of it this is */
  configure({ address, token, sheet, writing, parent, savedAt }) {
    this.address = address;
    this.token = token;
    if (sheet === this.sheet) return;
    this.sheet = sheet;
    this.writing = writing;
    this.parent = parent;
    this.acknowledged = this.wanted;
    this.told({ saved: savedAt, problem: "" });
  }

  /** @param {object} said */
  save(said) {
    const mine = ++this.wanted;
    const { sheet, writing, token } = this;
    const body = JSON.stringify(said);
    this.queue = this.queue.then(async () => {
      // A newer one stands behind this one: it holds all that this one does.
      if (mine === this.wanted || sheet !== this.sheet) await this.insist({ sheet, writing, token, body, mine });
    });
  }

  /** Only what stands on the page is submitted: where its last save was refused, what was saved before is not.
   * @returns {Promise<boolean>} whether the judgement counts now */
  async submit() {
    await this.queue;
    if (this.parent === null || this.acknowledged !== this.wanted) return false;
    const answer = await this.post(`${this.address}/${this.writing}/submitted/${this.parent}`, "", this.token);
    this.told({ saved: answer.saved_at ?? "", problem: answer.error ?? "" });
    return !answer.error;
  }

  /** @param {{sheet: string, writing: number, token: string, body: string, mine: number}} save */
  async insist({ sheet, writing, token, body, mine }) {
    for (;;) {
      const isHere = sheet === this.sheet;
      const parent = isHere && this.parent !== null ? `?parent=${this.parent}` : "";
      // The page's token is renewed from time to time; another reader's is not for what this one said.
      const answer = await this.post(`${this.address}/${writing}${parent}`, body, isHere ? this.token : token);
      if (isHere && sheet === this.sheet) {
        this.parent = answer.judgement ?? this.parent;
        if (answer.judgement) this.acknowledged = mine;
        this.told({ saved: answer.saved_at ?? "", problem: answer.error ?? answer.conflict ?? "", seen: answer.standing ? answer : undefined });
      }
      if (!answer.again) return;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  /** @param {string} address @param {string} body @param {string} token
   * @returns {Promise<{judgement?: number, saved_at?: string, conflict?: string, standing?: any[], loose?: any, error?: string, again?: boolean}>} */
  async post(address, body, token) {
    const headers = { "Content-Type": "application/json", "X-Reading-Room-Token": token };
    try {
      const answer = await fetch(address, { method: "POST", headers, body });
      if (answer.status >= 500) return { error: "Not saved yet: the server is busy. It is tried again.", again: true };
      return await answer.json();
    } catch {
      return { error: "Not saved yet: the server does not answer. It is tried again.", again: true };
    }
  }
}
