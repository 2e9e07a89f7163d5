// The log of a room: messages in the server's order, notices, day separators, and below them
// the person's own messages that are still on their way.
import { $, dayKey, dayLabel, focusInput, h, toDate } from './dom.js';
import { MessageView } from './message.js';
import { Scroller } from './scroll.js';

const GROUP_MS = 5 * 60 * 1000;
const MESSAGES_MAX = 1000;
const TRIM_COUNT = 200;

export class Timeline {
  #log = $('messages');
  #thread = $('thread');
  #outgoing = $('outgoing');
  #scroller = new Scroller();
  #views = new Map(); // id → MessageView, or null for a notice
  #pending = new Map(); // nonce → MessageView
  #items = new WeakMap(); // element → { view?, date }
  lastId = null;

  /** `actions` are what messages ask for: reply, edit, remove, react, press, choose, retry, discard. */
  constructor(actions) {
    this.room = {
      ...actions,
      me: '',
      author: null,
      find: (id) => this.#views.get(id) ?? null,
      jump: (id) => this.jump(id),
      dismiss: (view) => this.#dismiss(view),
      onFocus: (view) => this.#rove(view.el),
    };
    this.#log.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Who reads it: the name, and what their messages have as `author`, since others may go by the same name. */
  is(name, author) {
    this.room.me = name;
    this.room.author = author ?? null;
  }

  /** The first message that the room remembers too. */
  get firstId() {
    for (const el of this.#thread.children) {
      if (el.dataset.id && !this.#items.get(el)?.view?.ephemeral) return el.dataset.id;
    }
    return null;
  }

  /** Whether there is more before the first message. */
  offerEarlier(offered) { $('earlier').hidden = !offered; }

  clear() {
    this.#views.clear();
    this.#pending.clear();
    this.#thread.replaceChildren();
    this.#outgoing.replaceChildren();
    this.lastId = null;
    this.offerEarlier(false);
    this.#scroller.toEnd();
    this.#hint();
  }

  /** What the room sent on entry: all of it, or (`catchUp`) only what was missed. */
  load(messages, catchUp) {
    this.#log.setAttribute('aria-busy', 'true');
    // What was said to this person alone is in no history: it keeps its place by its time.
    const ephemeral = catchUp ? [] : [...this.#views.values()].filter((view) => view?.ephemeral);
    const placeEphemeral = (until) => {
      while (ephemeral.length && ephemeral[0].date < until) this.#place(ephemeral.shift().msg, false);
    };
    if (!catchUp) {
      this.#views.clear();
      this.#thread.replaceChildren();
    }
    for (const msg of messages) {
      placeEphemeral(toDate(msg.timestamp));
      this.#place(msg, catchUp);
    }
    placeEphemeral(Infinity);
    if (!catchUp) this.#scroller.toEnd();
    this.#log.removeAttribute('aria-busy');
    this.#hint();
  }

  /** Messages from before the first one. What is being read stays where it is. */
  prepend(messages, hasMore) {
    const fromEnd = this.#log.scrollHeight - this.#log.scrollTop;
    const first = this.#thread.firstElementChild;
    for (const msg of messages) {
      if (this.#views.has(msg.id)) continue;
      const view = msg.type === 'notification' ? null : new MessageView(msg, this.room);
      const el = view?.el ?? h('p', { class: 'notice', dir: 'auto', dataset: { id: msg.id } }, msg.message);
      this.#views.set(msg.id, view);
      this.#items.set(el, { view, date: toDate(msg.timestamp) });
      this.#thread.insertBefore(el, first);
    }
    this.#relayout();
    for (const msg of messages) this.#refreshQuotes(msg.id);
    this.offerEarlier(hasMore);
    this.#log.scrollTop = this.#log.scrollHeight - fromEnd;
    this.#hint();
  }

  /** Returns true if the message was not known before. */
  add(msg) {
    const fresh = this.#place(msg, true);
    this.#hint();
    return fresh;
  }

  edit(msg) {
    const view = this.#views.get(msg.id);
    if (!view) return;
    // An edit carries the whole message: what it does not have is gone. Only what no edit changes is kept.
    const { username, timestamp, bot, reply_to, pinned, ephemeral, private: direct } = view.msg;
    view.update({ username, timestamp, bot, reply_to, pinned, ephemeral, private: direct, ...msg });
    this.#refreshQuotes(msg.id);
    this.#scroller.added(false);
  }

  remove(ids) {
    const views = ids.map((id) => this.#views.get(id)).filter(Boolean);
    if (!views.length) return;
    const focused = views.some((view) => view.el.contains(document.activeElement));
    for (const { el, msg } of views) {
      el.remove();
      this.#views.delete(msg.id);
      this.#refreshQuotes(msg.id);
    }
    this.#relayout();
    this.#hint();
    if (focused) focusInput();
  }

  pin(id, pinned) {
    this.#views.get(id)?.pin(pinned);
    this.#scroller.added(false);
  }

  react(change) {
    this.#views.get(change.id)?.react(change);
    this.#scroller.added(false);
  }

  /** Something that happened in the room; `tone` (bad or good) if it concerns this very person. */
  notice(text, tone) {
    this.#append(h('p', { class: tone ? `notice personal ${tone}` : 'notice', dir: 'auto' }, text), { date: new Date() });
  }

  /** A message of our own that is being sent. */
  addPending({ nonce, message, reply_to, files }) {
    const attachments = files.map((file) => ({ name: file.name, content_type: file.type, size: file.size, url: URL.createObjectURL(file) }));
    const msg = { username: this.room.me, message, nonce, reply_to, attachments, timestamp: new Date().toISOString() };
    const view = new MessageView(msg, this.room);
    view.setState('sending');
    this.#pending.set(nonce, view);
    this.#items.set(view.el, { view, date: view.date });
    this.#outgoing.append(view.el);
    this.#layout(view.el);
    this.#scroller.toEnd();
    this.#hint();
  }

  setState(nonce, state, reason) {
    this.#pending.get(nonce)?.setState(state, reason);
    this.#scroller.added(false);
  }

  /** Acknowledged. It takes its place when the room sends it, unless it already has. */
  acknowledge(nonce, id) {
    const view = this.#pending.get(nonce);
    if (!view) return;
    if (id && this.#views.has(id)) return this.discard(nonce);
    view.update({ ...view.msg, id });
    view.acknowledged = true;
  }

  discard(nonce) {
    this.#pending.get(nonce)?.el.remove();
    this.#pending.delete(nonce);
    this.#hint();
  }

  lastOwn() {
    return [...this.#thread.children].reverse().map((el) => this.#items.get(el)?.view).find((view) => view?.own) ?? null;
  }

  #place(msg, live) {
    const waiting = this.#waiting(msg);
    if (this.#views.has(msg.id)) {
      this.#views.get(msg.id)?.update(msg);
      return false;
    }
    const ephemeral = msg.ephemeral || msg.private;
    // The room is asked for what comes after this one, so it must be one that the room remembers.
    if (!ephemeral) this.lastId = msg.id;
    if (msg.type === 'notification') {
      this.#views.set(msg.id, null);
      this.#append(h('p', { class: 'notice', dir: 'auto', dataset: { id: msg.id } }, msg.message), { date: toDate(msg.timestamp) });
      return true;
    }
    const view = waiting ?? new MessageView(msg, this.room);
    if (waiting) view.update(msg);
    else if (live) view.el.classList.add('arriving');
    this.#views.set(msg.id, view);
    this.#append(view.el, { view, date: view.date }, !view.own);
    this.#refreshQuotes(msg.id);
    return true;
  }

  /** Our own message on its way that this one is, by nonce or by the id of its acknowledgement. */
  #waiting(msg) {
    if (msg.username !== this.room.me) return null;
    for (const [nonce, view] of this.#pending) {
      if (nonce === msg.nonce || (view.acknowledged && view.msg.id === msg.id)) {
        this.#pending.delete(nonce);
        this.room.removeFromOutbox(nonce);
        return view;
      }
    }
    return null;
  }

  #append(el, item, news = false) {
    const today = dayKey(new Date());
    if (this.today !== today) { // past midnight: “Today” is “Yesterday” now
      this.today = today;
      for (const sep of this.#thread.querySelectorAll('.day')) this.#label(sep);
    }
    this.#items.set(el, item);
    this.#thread.append(el);
    this.#layout(el);
    if (item.view) this.#rove(el, true);
    const next = this.#outgoing.firstElementChild;
    if (next) this.#layout(next);
    if (this.#thread.childElementCount > MESSAGES_MAX + TRIM_COUNT && this.#scroller.stuck) this.#trim();
    this.#scroller.added(news);
  }

  /** Decides whether a day begins before this element, and whether it goes with the message above. */
  #layout(el) {
    const before = el.previousElementSibling ?? (el.parentElement === this.#outgoing ? this.#thread.lastElementChild : null);
    const item = this.#items.get(el);
    const above = before && this.#items.get(before);
    const newDay = !above || dayKey(above.date) !== dayKey(item.date);
    if (newDay && el.parentElement === this.#thread && !before?.classList.contains('day')) {
      const sep = h('div', { class: 'day', role: 'separator' }, h('span', {}));
      sep.date = item.date;
      this.#label(sep);
      el.before(sep);
    }
    const [a, b] = [above?.view?.msg, item.view?.msg];
    const grouped = Boolean(a && b && !newDay && !b.reply_to && !above.view.ephemeral && !item.view.ephemeral && a.username === b.username
      && Boolean(a.bot) === Boolean(b.bot) && item.date - above.date < GROUP_MS);
    el.classList.toggle('grouped', grouped);
  }

  #label(sep) {
    sep.firstElementChild.textContent = dayLabel(sep.date);
    sep.setAttribute('aria-label', dayLabel(sep.date));
  }

  #relayout() {
    for (const sep of this.#thread.querySelectorAll('.day')) sep.remove();
    for (const el of [...this.#thread.children, ...this.#outgoing.children]) this.#layout(el);
  }

  #trim() {
    for (const el of [...this.#thread.children].slice(0, TRIM_COUNT)) {
      this.#views.delete(el.dataset.id);
      el.remove();
    }
    this.offerEarlier(true);
    this.#relayout();
  }

  #refreshQuotes(id) {
    for (const el of this.#thread.querySelectorAll(`[data-reply-to="${CSS.escape(id)}"]`)) this.#items.get(el).view.refreshQuote();
  }

  #hint() { $('hint').hidden = this.#views.size > 0 || this.#pending.size > 0; }

  has(id) { return Boolean(this.#views.get(id)); }

  jump(id) {
    const el = this.#views.get(id)?.el;
    if (!el) return;
    el.scrollIntoView({ block: 'center' });
    el.focus({ preventScroll: true });
    el.classList.remove('flash');
    requestAnimationFrame(() => el.classList.add('flash'));
  }

  #dismiss(view) {
    // To the log rather than to the text, which on a touch screen would bring up the keyboard.
    this.#log.focus({ preventScroll: true });
    this.remove([view.msg.id]);
  }

  /** One message at a time is a stop of the Tab key; the arrow keys move between messages. */
  #rove(el, unlessFocused = false) {
    if (unlessFocused && this.#log.contains(document.activeElement)) return;
    if (this.stop) this.stop.tabIndex = -1;
    this.stop = el;
    el.tabIndex = 0;
  }

  #onKey(event) {
    const target = event.target;
    if (event.altKey || event.ctrlKey || event.metaKey || (target !== this.#log && !target.matches('article'))) return;
    const all = [...this.#log.querySelectorAll('article')];
    const at = all.indexOf(target);
    const to = { ArrowUp: at < 0 ? all.length - 1 : at - 1, ArrowDown: at < 0 ? all.length : at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all.length) return;
    event.preventDefault();
    if (to >= all.length) focusInput();
    else all[Math.max(0, to)].focus();
  }
}
