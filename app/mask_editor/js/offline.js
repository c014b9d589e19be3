/**
 * Drawings that the server has not acknowledged yet, kept in this browser so that a closed tab or a dead server costs
 * no stroke. An entry lives from the moment its save starts until the acknowledgement.
 *
 * @typedef {object} UnsavedMask
 * @property {string} key @property {string} reader @property {number} imageId @property {string} sha
 * @property {string} finding @property {Uint32Array} runs @property {number | null} suggestionId
 * @property {string} at when it was drawn, ISO
 */

const DATABASE = "reading-room-editor";
const STORE = "unsaved";

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} ask
 * @returns {Promise<T>}
 */
async function inStore(mode, ask) {
  const transaction = (await database()).transaction(STORE, mode, { durability: "relaxed" });
  const request = ask(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {string} reader @param {number} imageId @param {string} sha @param {string} finding */
function keyOf(reader, imageId, sha, finding) {
  return JSON.stringify([reader, imageId, sha, finding]);
}

/** @param {Omit<UnsavedMask, "key">} mask */
export function keepUnsaved(mask) {
  const key = keyOf(mask.reader, mask.imageId, mask.sha, mask.finding);
  return inStore("readwrite", (store) => store.put({ ...mask, key }));
}

/** @param {string} reader @param {number} imageId @param {string} sha @param {string} finding */
export function forgetUnsaved(reader, imageId, sha, finding) {
  return inStore("readwrite", (store) => store.delete(keyOf(reader, imageId, sha, finding)));
}

/** @param {string} reader @param {number} imageId @param {string} sha @returns {Promise<UnsavedMask[]>} */
export async function findUnsaved(reader, imageId, sha) {
  const all = await inStore("readonly", (store) => store.getAll());
  return all.filter((mask) => mask.reader === reader && mask.imageId === imageId && mask.sha === sha);
}
