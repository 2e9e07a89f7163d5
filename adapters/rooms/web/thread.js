// A sequence of messages and notices in one element. It has day separators, and messages of one person are grouped.
import { dayKey, dayLabel, toDate } from './dates.js';
import { h } from './dom.js';
import { MessageView } from './message.js';

const GROUP_MS = 5 * 60 * 1000;

export class Thread {
  #views = new Map(); // id → MessageView, or null for a notice
  #items = new WeakMap(); // element → { view?, date }
  #replies = new Map(); // id → views that reply to it

  /** `room` is the context of messages. A thread that `follows` another continues its groups and has no days. */
  constructor(el, room, follows = null) {
    this.el = el;
    this.room = room;
    this.follows = follows;
  }

  has(id) { return this.#views.has(id); }

  /** Returns the view of a message; null for a notice and for an unknown id. */
  get(id) { return this.#views.get(id) ?? null; }

  /** Number of messages and notices that have an id. */
  get size() { return this.#views.size; }

  get views() { return [...this.#views.values()].filter(Boolean); }

  get isEmpty() { return this.el.childElementCount === 0; }

  /** The messages, in order, without those that are not in the history. */
  get messages() {
    const all = [...this.el.children].map((el) => this.#items.get(el)).filter(Boolean);
    return all.map(({ view, msg }) => view?.msg ?? msg).filter((msg) => msg && !isEphemeral(msg));
  }

  get firstId() { return this.messages[0]?.id ?? null; }

  viewOf(el) { return this.#items.get(el)?.view ?? null; }

  lastOwn() {
    for (let el = this.el.lastElementChild; el; el = el.previousElementSibling) {
      const view = this.viewOf(el);
      if (view?.own) return view;
    }
    return null;
  }

  clear() {
    this.#views.clear();
    this.#replies.clear();
    this.el.replaceChildren();
  }

  /** Adds a message at the end; `view` is given if there is one already. Returns its element. */
  append(msg, view = null) {
    const el = this.#register(msg, view);
    this.el.append(el);
    this.#layout(el);
    this.refreshQuotes(msg.id);
    return el;
  }

  /** Adds a notice that has no id. */
  appendNotice(el) {
    this.#items.set(el, { date: new Date() });
    this.el.append(el);
    this.#layout(el);
  }

  /** Adds earlier messages above the first one. */
  prepend(messages) {
    const added = messages.filter((msg) => !this.has(msg.id)).map((msg) => this.#register(msg, null));
    const next = [...this.el.children].find((el) => this.#items.has(el));
    this.el.prepend(...added);
    for (const el of added) this.#layout(el);
    if (next) this.#layout(next);
    for (const msg of messages) this.refreshQuotes(msg.id);
  }

  /** Removes a message and returns its element. */
  remove(id) {
    const view = this.get(id);
    if (!view) return null;
    this.#removeElement(view.el);
    this.refreshQuotes(id);
    return view.el;
  }

  /** Removes the first or the last `count` messages and notices. */
  trim(count, fromStart = true) {
    const all = [...this.el.children].filter((el) => this.#items.has(el));
    for (const el of fromStart ? all.slice(0, count) : all.slice(-count)) this.#removeElement(el);
  }

  /** Groups the first message with the one above it, which has changed. */
  layoutFirst() {
    if (this.el.firstElementChild) this.#layout(this.el.firstElementChild);
  }

  /** After midnight, “Today” becomes “Yesterday”. */
  refreshDays() {
    for (const sep of this.el.querySelectorAll('.day')) this.#label(sep);
  }

  refreshQuotes(id) {
    for (const view of this.#replies.get(id) ?? []) view.refreshQuote();
  }

  #register(msg, given) {
    const isNotice = msg.type === 'notification';
    const view = isNotice ? null : given ?? new MessageView(msg, this.room);
    const el = view?.el ?? h('p', { class: 'notice', dir: 'auto', dataset: { id: msg.id } }, msg.message);
    if (msg.id) this.#views.set(msg.id, view);
    this.#items.set(el, { view, msg, date: toDate(msg.timestamp) });
    if (view && msg.reply_to) {
      const replies = this.#replies.get(msg.reply_to) ?? new Set();
      this.#replies.set(msg.reply_to, replies.add(view));
    }
    return el;
  }

  #removeElement(el) {
    const { view, msg } = this.#items.get(el);
    const [next, before] = [this.#next(el), el.previousElementSibling];
    el.remove();
    if (msg?.id) this.#views.delete(msg.id);
    if (view && msg.reply_to) this.#replies.get(msg.reply_to)?.delete(view);
    if (next) this.#layout(next);
    if (before?.matches('.day') && !this.#items.has(before.nextElementSibling ?? before)) before.remove();
  }

  /** Inserts or removes a day separator above an element, and groups the message with the one above. */
  #layout(el) {
    const item = this.#items.get(el);
    const above = this.#itemAbove(el);
    const newDay = !above || dayKey(above.date) !== dayKey(item.date);
    const sep = this.#daySeparator(el);
    if (newDay && !sep && !this.follows) {
      const line = h('div', { class: 'day', role: 'separator' }, h('span', {}));
      line.date = item.date;
      this.#label(line);
      this.#top(el).before(line);
    } else if (sep && !newDay) {
      sep.remove();
    } else if (sep) {
      sep.date = item.date;
      this.#label(sep);
    }
    const isFirstNew = el.previousElementSibling?.matches('.unread');
    el.classList.toggle('grouped', !newDay && !isFirstNew && isGrouped(above, item));
  }

  #label(sep) {
    sep.firstElementChild.textContent = dayLabel(sep.date);
    sep.setAttribute('aria-label', dayLabel(sep.date));
  }

  #next(el) {
    let next = el.nextElementSibling;
    while (next && !this.#items.has(next)) next = next.nextElementSibling;
    return next;
  }

  #itemAbove(el) {
    for (let above = el.previousElementSibling; above; above = above.previousElementSibling) {
      if (this.#items.has(above)) return this.#items.get(above);
    }
    return this.follows?.lastItem ?? null;
  }

  get lastItem() {
    for (let el = this.el.lastElementChild; el; el = el.previousElementSibling) {
      if (this.#items.has(el)) return this.#items.get(el);
    }
    return null;
  }

  /** Returns the first of the lines directly above an element, or the element. */
  #top(el) {
    let top = el;
    while (top.previousElementSibling && !this.#items.has(top.previousElementSibling)) top = top.previousElementSibling;
    return top;
  }

  #daySeparator(el) {
    for (let above = el.previousElementSibling; above; above = above.previousElementSibling) {
      if (this.#items.has(above)) return null;
      if (above.matches('.day')) return above;
    }
    return null;
  }
}

/** Whether a message is only for this user and not in the history. */
const isEphemeral = (msg) => Boolean(msg.ephemeral || msg.private);

/** Whether a message is shown under the heading of the one above it, of the same day. */
function isGrouped(above, item) {
  const [a, b] = [above?.view?.msg, item.view?.msg];
  if (!a || !b || b.reply_to || above.view.ephemeral || item.view.ephemeral) return false;
  return a.username === b.username && Boolean(a.bot) === Boolean(b.bot) && item.date - above.date < GROUP_MS;
}
