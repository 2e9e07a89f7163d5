// The outbox: own messages that the server has not acknowledged. A message that is sent once more keeps its nonce, so
// it is never doubled. Messages without files survive a reload.
import { store } from './dom.js';
import { t } from './language.js';
import { putFile } from './upload.js';

const PREFIX = 'palabre.outbox.';
// The server remembers a nonce for a day; after that, an unconfirmed message could be doubled.
const RESEND_MS = 23 * 3600 * 1000;

export class Outbox {
  // nonce → { nonce, message, reply_to, files, ids: of uploaded files, state: 'queued' | 'sending' | 'failed',
  // resend: after the next join, restored: from an earlier visit }
  #entries = new Map();
  #place = null; // { room, username }

  /**
   * `link` is the connection: isOpen(), call(event, data), post(data) → answer or null, reenter(),
   * isNotInRoom(answer), report(name, detail). The events are `outgoing`, the state of a message, and `sent`.
   */
  constructor(link) { this.link = link; }

  get size() { return this.#entries.size; }

  /** Whether a reload would lose a message. */
  get hasFiles() { return [...this.#entries.values()].some((entry) => entry.files.length > 0); }

  /** Sets the room and the name, and returns the messages that were left there by an earlier visit. */
  open(room, username) {
    if (this.#place?.room === room && this.#place.username === username) return []; // after a lost connection
    this.#place = { room, username };
    const found = store.entries(PREFIX).map(([key, text]) => [key.slice(PREFIX.length), parse(text)]);
    const own = found.filter(([nonce, saved]) => !this.#entries.has(nonce) && isOf(saved, room, username));
    const restored = own.sort(([, a], [, b]) => a.time - b.time).map(([nonce, { message, reply_to, time }]) => {
      const state = Date.now() - time < RESEND_MS ? 'queued' : 'failed';
      return { nonce, message, reply_to, time, files: [], ids: null, state, resend: false, restored: true };
    });
    for (const entry of restored) this.#entries.set(entry.nonce, entry);
    return restored;
  }

  /** Adds a message and returns its entry. */
  send(message, replyTo, files = []) {
    const entry = {
      nonce: newNonce(), message, reply_to: replyTo, time: Date.now(), files, ids: null, state: 'queued', resend: false,
    };
    this.#entries.set(entry.nonce, entry);
    if (!files.length) {
      const { room, username } = this.#place ?? {};
      const saved = { room, username, message, reply_to: replyTo, time: entry.time };
      store.set(PREFIX + entry.nonce, JSON.stringify(saved));
    }
    return entry;
  }

  /** Sends the messages that wait for the connection. */
  resume() {
    for (const entry of [...this.#entries.values()]) {
      if (entry.state === 'queued' || entry.resend) this.#post(entry);
      else if (entry.restored && entry.state === 'failed') this.#fail(entry, t.tooOldToSend, false);
    }
  }

  /** The connection is lost: what was being sent waits for the next one. */
  suspend() {
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'sending') continue;
      entry.attempt++;
      entry.cancel?.abort();
      this.#queue(entry);
    }
  }

  post(nonce) {
    const entry = this.#entries.get(nonce);
    if (entry) this.#post(entry);
  }

  /** Cancels the upload of a message's files. */
  cancel(nonce) { this.#entries.get(nonce)?.cancel?.abort(); }

  /** Removes a message that is in the timeline or was discarded: it is not sent any more. */
  remove(nonce) {
    this.#entries.get(nonce)?.cancel?.abort();
    this.#entries.delete(nonce);
    store.remove(PREFIX + nonce);
  }

  /** Removes all messages: the user leaves the room. */
  clear() {
    for (const nonce of [...this.#entries.keys()]) this.remove(nonce);
    this.#place = null;
  }

  /** Forgets the messages, which stay stored for the next visit. */
  close() {
    this.#entries.clear();
    this.#place = null;
  }

  async #post(entry) {
    if (!this.link.isOpen()) return this.#queue(entry);
    const { nonce, message, reply_to } = entry;
    entry.state = 'sending';
    this.link.report('outgoing', { nonce, state: 'sending' });
    const attempt = (entry.attempt = (entry.attempt ?? 0) + 1);
    const isOver = () => !this.#entries.has(nonce) || entry.attempt !== attempt;
    if (entry.files.length && !entry.ids) {
      try {
        entry.ids = await this.#upload(entry, isOver);
      } catch (error) {
        if (!isOver()) this.#fail(entry, error.message, false);
        return;
      }
      if (isOver()) return;
    }
    const answer = await this.link.post({
      message, nonce, ...(reply_to && { reply_to }), ...(entry.ids && { files: entry.ids }),
    });
    if (isOver()) return;
    if (!answer) {
      if (this.link.isOpen()) this.#fail(entry, t.notConfirmed, true);
      else this.#queue(entry);
    } else if (this.link.isNotInRoom(answer)) {
      this.#queue(entry);
      this.link.reenter();
    } else if (answer.error) {
      this.#fail(entry, String(answer.error.message ?? answer.error), false);
    } else {
      this.remove(nonce);
      this.link.report('sent', { nonce, id: answer.id, restored: entry.restored });
    }
  }

  /** Uploads the files of a message one after the other; resolves to their ids. */
  async #upload(entry, isOver) {
    entry.cancel = new AbortController();
    const { signal } = entry.cancel;
    const total = entry.files.reduce((sum, file) => sum + file.size, 0) || 1;
    const ids = [];
    let done = 0;
    const progress = (bytes) => {
      if (!isOver()) this.link.report('outgoing', { nonce: entry.nonce, state: 'uploading', detail: bytes / total });
    };
    for (const file of entry.files) {
      progress(done);
      const { name, size, type } = file;
      const { id, url } = await this.link.call('upload', { name, size, content_type: type });
      await putFile(url, file, { signal, progress: (bytes) => progress(done + bytes) });
      done += size;
      ids.push(id);
    }
    entry.cancel = null;
    this.link.report('outgoing', { nonce: entry.nonce, state: 'sending' });
    return ids;
  }

  #queue(entry) {
    entry.state = 'queued';
    this.link.report('outgoing', { nonce: entry.nonce, state: 'queued' });
  }

  #fail(entry, reason, resend) {
    entry.state = 'failed';
    if (!resend) entry.ids = null; // files are uploaded once more on the next attempt
    entry.resend = resend;
    this.link.report('outgoing', { nonce: entry.nonce, state: 'failed', detail: reason });
  }
}

const isOf = (saved, room, username) =>
  saved?.room === room && saved.username === username && typeof saved.message === 'string';

function parse(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/** Returns a random nonce of 128 bits. crypto.randomUUID would need a secure context. */
function newNonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
