// The log of a room: messages in the server's order, notices and day separators; below them the user's
// own messages that are being sent.
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

  /**
   * `actions` are the callbacks of messages: reply, edit, remove, react, press, choose, retry, discard,
   * removeFromOutbox.
   */
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

  /** Sets the user: the name, and the `author` of own messages, since others may use the same name. */
  is(name, author) {
    this.room.me = name;
    this.room.author = author ?? null;
  }

  /** The id of the first message that is in the history. */
  get firstId() {
    for (const el of this.#thread.children) {
      if (el.dataset.id && !this.#items.get(el)?.view?.ephemeral) return el.dataset.id;
    }
    return null;
  }

  /** Shows or hides the button for earlier messages. */
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

  /** Loads the messages received on joining; with `catchUp`, only the missed ones. */
  load(messages, catchUp) {
    this.#log.setAttribute('aria-busy', 'true');
    // Ephemeral messages are not in the history and keep their place by time.
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

  /** Adds earlier messages above the first one, without moving the visible part. */
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

  /** Adds a message. Returns true if it is new. */
  add(msg) {
    const fresh = this.#place(msg, true);
    this.#hint();
    return fresh;
  }

  edit(msg) {
    const view = this.#views.get(msg.id);
    if (!view) return;
    // An edit carries the whole message, so missing fields are removed, except for those that no edit changes.
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

  /** Adds a notice; `tone` (bad or good) if it is about the user. */
  notice(text, tone) {
    const shape = tone ? `notice personal ${tone}` : 'notice';
    this.#append(h('p', { class: shape, dir: 'auto' }, text), { date: new Date() });
  }

  /** Adds an own message that is being sent. */
  addPending({ nonce, message, reply_to, files }) {
    const attachments = files.map((file) => ({
      name: file.name, content_type: file.type, size: file.size, url: URL.createObjectURL(file),
    }));
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

  /** Handles an acknowledgement. The message moves to its place when the room broadcasts it, unless it already has. */
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
    const views = [...this.#thread.children].reverse().map((el) => this.#items.get(el)?.view);
    return views.find((view) => view?.own) ?? null;
  }

  #place(msg, live) {
    const waiting = this.#waiting(msg);
    if (this.#views.has(msg.id)) {
      this.#views.get(msg.id)?.update(msg);
      return false;
    }
    const ephemeral = msg.ephemeral || msg.private;
    // Catching up starts after this message, so it must be one that is in the history.
    if (!ephemeral) this.lastId = msg.id;
    if (msg.type === 'notification') {
      this.#views.set(msg.id, null);
      const notice = h('p', { class: 'notice', dir: 'auto', dataset: { id: msg.id } }, msg.message);
      this.#append(notice, { date: toDate(msg.timestamp) });
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

  /** Takes the pending own message that `msg` is, by nonce or by acknowledged id. */
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
    if (this.today !== today) { // after midnight: “Today” becomes “Yesterday”
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

  /** Inserts a day separator if needed, and groups the message with the one above. */
  #layout(el) {
    const isOutgoing = el.parentElement === this.#outgoing;
    const before = el.previousElementSibling ?? (isOutgoing ? this.#thread.lastElementChild : null);
    const item = this.#items.get(el);
    const above = before && this.#items.get(before);
    const newDay = !above || dayKey(above.date) !== dayKey(item.date);
    if (newDay && el.parentElement === this.#thread && !before?.classList.contains('day')) {
      const sep = h('div', { class: 'day', role: 'separator' }, h('span', {}));
      sep.date = item.date;
      this.#label(sep);
      el.before(sep);
    }
    el.classList.toggle('grouped', !newDay && isGrouped(above, item));
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
    const replies = this.#thread.querySelectorAll(`[data-reply-to="${CSS.escape(id)}"]`);
    for (const el of replies) this.#items.get(el).view.refreshQuote();
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
    // Focus the log instead of the message box, which would open the keyboard on a touch screen.
    this.#log.focus({ preventScroll: true });
    this.remove([view.msg.id]);
  }

  /** Roving tabindex: one message is a Tab stop; the arrow keys move between messages. */
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
    const last = all.length - 1;
    const up = at < 0 ? last : at - 1;
    const down = at < 0 ? all.length : at + 1;
    const to = { ArrowUp: up, ArrowDown: down, Home: 0, End: last }[event.key];
    if (to === undefined || !all.length) return;
    event.preventDefault();
    if (to >= all.length) focusInput();
    else all[Math.max(0, to)].focus();
  }
}

/** Whether a message is shown under the heading of the one above it, of the same day. */
function isGrouped(above, item) {
  const [a, b] = [above?.view?.msg, item.view?.msg];
  if (!a || !b || b.reply_to || above.view.ephemeral || item.view.ephemeral) return false;
  return a.username === b.username && Boolean(a.bot) === Boolean(b.bot) && item.date - above.date < GROUP_MS;
}
