// A part of the history that is older than the log: it is shown instead of the newest messages while the user
// follows a link or reads far back. It is bounded, like the log.
import { $ } from './dom.js';
import { t } from './language.js';
import { keepPlace } from './scroll.js';
import { Thread } from './thread.js';

const PAGE = 60;
/** The maximum number of messages in the page; layout takes longer with each. */
export const MESSAGES_MAX = 600;
export const TRIM_COUNT = 200;

export class Past {
  #hasEarlier = false;
  #hasLater = false;

  /**
   * `room` is the context of messages, `history(data)` requests a page, `live` is the thread of the newest messages,
   * `shown(isOpen)` is called when the past is opened or closed.
   */
  constructor(room, { history, live, shown }) {
    this.history = history;
    this.live = live;
    this.shown = shown;
    this.thread = new Thread($('past'), room);
    this.isOpen = false;
  }

  /** Opens the page of the history that a message is in. Rejects with an error text to show. */
  async open(id) {
    const later = await this.history({ after: id, limit: PAGE });
    // The page before the next message ends with the message itself, which `before: id` would leave out.
    const next = later.messages?.[0]?.id;
    const earlier = next ? await this.history({ before: next, limit: PAGE }) : null;
    if (!earlier?.messages?.some((msg) => msg.id === id)) throw new Error(t.messageGone);
    this.#show([...earlier.messages, ...later.messages], earlier.has_more, later.has_more);
  }

  /** Opens the messages before the first of the log, which has reached its bound. */
  async openBefore() {
    const overlap = this.live.messages.slice(0, TRIM_COUNT);
    const { messages, has_more: hasMore } = await this.history({ before: overlap[0].id });
    const place = this.live.get(overlap[0].id)?.el;
    keepPlace(place, () => {
      this.#show([...messages, ...overlap], hasMore, true);
      return this.thread.get(overlap[0].id)?.el;
    });
  }

  /** Takes the place of the log, which is about to lose its first messages. `view` keeps its place. */
  openFrom(view, hasEarlier) {
    const all = this.live.messages;
    const at = all.findIndex((msg) => msg.id === view.msg.id);
    const from = Math.max(0, at - TRIM_COUNT);
    keepPlace(view.el, () => {
      this.#show(all.slice(from, from + 2 * TRIM_COUNT), hasEarlier || from > 0, true);
      return this.thread.get(view.msg.id)?.el;
    });
  }

  async earlier() {
    const { messages, has_more: hasMore } = await this.history({ before: this.thread.firstId });
    const place = this.thread.el.querySelector('article');
    keepPlace(place, () => {
      this.thread.prepend(messages ?? []);
      this.#hasEarlier = Boolean(hasMore);
      if (this.thread.size > MESSAGES_MAX) {
        this.thread.trim(TRIM_COUNT, false);
        this.#hasLater = true;
      }
      this.#refresh();
      return place;
    });
  }

  /** Loads later messages; when they reach the log, they become part of it. */
  async later() {
    const known = this.thread.messages;
    const last = known.at(-1);
    const { messages = [], has_more: hasMore } = await this.history({ after: last.id });
    if (!hasMore || messages.some((msg) => this.live.has(msg.id))) return this.#join([...known, ...messages], last.id);
    const place = this.thread.get(last.id)?.el;
    keepPlace(place, () => {
      for (const msg of messages) if (!this.thread.has(msg.id)) this.thread.append(msg);
      if (this.thread.size > MESSAGES_MAX) {
        this.thread.trim(TRIM_COUNT);
        this.#hasEarlier = true;
      }
      this.#refresh();
      return place;
    });
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.thread.clear();
    this.#refresh();
    this.shown(false);
  }

  get hasEarlier() { return this.#hasEarlier; }

  #show(messages, hasEarlier, hasLater) {
    this.thread.clear();
    for (const msg of messages) if (!this.thread.has(msg.id)) this.thread.append(msg);
    this.#hasEarlier = Boolean(hasEarlier);
    this.#hasLater = Boolean(hasLater);
    this.isOpen = true;
    this.shown(true);
    this.#refresh();
  }

  #join(messages, lastId) {
    keepPlace(this.thread.get(lastId)?.el, () => {
      this.live.prepend(messages);
      this.close();
      return this.live.get(lastId)?.el;
    });
  }

  #refresh() {
    $('past').hidden = $('past-bar').hidden = !this.isOpen;
    $('later').hidden = !this.isOpen || !this.#hasLater;
    if (this.isOpen) $('earlier').hidden = !this.#hasEarlier;
  }
}
