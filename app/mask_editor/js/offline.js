/**
 * What the server has not acknowledged yet, kept in this browser so that a closed tab or a dead server costs no stroke
 * and no label. An entry lives from the moment its save starts until the acknowledgement.
 *
 * @typedef {UnsavedMask | UnsavedLabel} Unsaved
 *
 * @typedef {object} UnsavedMask
 * @property {string} key @property {string} reader @property {number} imageId @property {string} sha
 * @property {string} finding @property {Uint32Array} runs @property {number | null} suggestionId
 * @property {string} at when it was drawn, ISO
 *
 * @typedef {object} UnsavedLabel
 * @property {string} key @property {string} reader @property {string} studyId @property {string} finding
 * @property {import("./labels.js").Voice} voice @property {import("./labels.js").Word} word
 * @property {number | null} parent @property {number | null} base what it was said on
 * @property {string} at when it was said, ISO
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
export function keyOfMask(reader, imageId, sha, finding) {
  return JSON.stringify([reader, imageId, sha, finding]);
}

/** @param {string} reader @param {string} studyId @param {string} voice @param {string} finding */
export function keyOfLabel(reader, studyId, voice, finding) {
  return JSON.stringify(["label", reader, studyId, voice, finding]);
}

/** @param {Unsaved} unsaved */
export function keepUnsaved(unsaved) {
  return inStore("readwrite", (store) => store.put(unsaved));
}

/** @param {string} key */
export function forgetUnsaved(key) {
  return inStore("readwrite", (store) => store.delete(key));
}

/** @param {string} reader @param {number} imageId @param {string} sha @returns {Promise<UnsavedMask[]>} */
export async function findUnsavedMasks(reader, imageId, sha) {
  const all = await inStore("readonly", (store) => store.getAll());
  return all.filter((mask) => mask.reader === reader && mask.imageId === imageId && mask.sha === sha);
}

/** @param {string} reader @param {string} studyId @returns {Promise<UnsavedLabel[]>} */
export async function findUnsavedLabels(reader, studyId) {
  const all = await inStore("readonly", (store) => store.getAll());
  return all.filter((label) => label.reader === reader && label.studyId === studyId);
}
