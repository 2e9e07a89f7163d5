// Drafts: the unsent text of each room, kept so that a reload or a later visit finds it.
import { store } from './dom.js';

const PREFIX = 'palabre.draft.';

export class Drafts {
  #key = null;

  /** Opens the draft of a room and returns its text. */
  open(room) {
    this.#key = PREFIX + room;
    return store.get(this.#key) ?? '';
  }

  /** Stops saving, without touching the draft: the user leaves the room. */
  close() { this.#key = null; }

  save(text) {
    if (!this.#key) return;
    if (text.trim()) store.set(this.#key, text);
    else store.remove(this.#key);
  }
}
