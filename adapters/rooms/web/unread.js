// New messages: their number in the title of the page, and a line above the first one that the user has not seen.
import { h, store } from './dom.js';
import { t } from './language.js';

const PREFIX = 'palabre.read.';

export class Unread {
  #room = null;
  #count = 0;
  #line = null;

  /** `timeline` has the messages. */
  constructor(timeline) {
    this.timeline = timeline;
    document.addEventListener('visibilitychange', () => this.#onVisibility());
  }

  /** The user has entered a room whose newest messages are `messages`. */
  enter(room, messages) {
    this.#room = room;
    const last = messages.findIndex((msg) => msg.id === store.get(PREFIX + room));
    if (last >= 0) this.separate(messages.slice(last + 1));
    this.#read();
  }

  leave() {
    this.#read();
    this.#room = null;
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
    this.#count = 0;
    this.#show();
    if (this.#room && this.timeline.lastId) store.set(PREFIX + this.#room, this.timeline.lastId);
  }

  #show() {
    const name = this.#room ? `${this.#room} · Palabre` : 'Palabre';
    document.title = this.#count ? `(${this.#count}) ${name}` : name;
    // The icon of the installed app. It is refused where there is none.
    navigator.setAppBadge?.(this.#count).catch(() => {});
  }
}
