// New messages: their number in the title of the page, and a line above the first one that the user has not seen.
import { h, store } from './dom.js';
import { t } from './language.js';

const PREFIX = 'palabre.read.';
const SAVE_DELAY_MS = 500;

export class Unread {
  #room = null;
  #count = 0;
  #line = null;
  #timer = null;

  /** `timeline` has the messages. */
  constructor(timeline) {
    this.timeline = timeline;
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    addEventListener('pagehide', () => this.#save());
  }

  /** The user has entered a room whose newest messages are `messages`. */
  enter(room, messages) {
    this.#room = room;
    const last = messages.findIndex((msg) => msg.id === store.get(PREFIX + room));
    if (last >= 0) this.separate(messages.slice(last + 1));
    this.#show();
    this.#read();
  }

  leave() {
    this.#save();
    this.#room = null;
    this.#count = 0;
    this.#line = null;
    this.#show();
  }

  /** A message has arrived. */
  arrived(msg) {
    if (!document.hidden || this.timeline.room.find(msg.id)?.own) return this.#read();
    this.#count++;
    this.#show();
    if (!this.#line?.isConnected) this.separate([msg]);
  }

  /** Puts the line above the first of these messages that is of somebody else. */
  separate(messages) {
    const first = messages.map((msg) => this.timeline.room.find(msg.id)).find((view) => view && !view.own);
    if (!first) return;
    this.seen();
    this.#line = h('div', { class: 'unread', role: 'separator', 'aria-label': t.newMessages },
      h('span', {}, t.newMessages));
    first.el.before(this.#line);
    first.el.classList.remove('grouped');
  }

  /** The user has seen the new messages, for example has answered. */
  seen() {
    this.#line?.remove();
    this.#line = null;
  }

  #onVisibility() {
    // The line of the last absence is not needed for the next one.
    if (document.hidden) this.seen();
    else this.#read();
  }

  #read() {
    if (document.hidden) return;
    if (this.#count) {
      this.#count = 0;
      this.#show();
    }
    // Once for all messages that arrive together.
    this.#timer ??= setTimeout(() => this.#save(), SAVE_DELAY_MS);
  }

  #save() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#room && !document.hidden && this.timeline.lastId) store.set(PREFIX + this.#room, this.timeline.lastId);
  }

  #show() {
    const name = this.#room ? `${this.#room} · Palabre` : 'Palabre';
    document.title = this.#count ? `(${this.#count}) ${name}` : name;
    // The icon of the installed app. It is refused where there is none.
    navigator.setAppBadge?.(this.#count).catch(() => {});
  }
}
