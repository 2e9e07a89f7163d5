// The log of a room: messages in the server's order and notices; below them the user's own messages that are being
// sent. Older parts of the history are shown instead of it, see past.js.
import { dayKey, toDate } from './dates.js';
import { $, focusInput, h } from './dom.js';
import { openMessageMenu } from './items.js';
import { onMenuRequest } from './menu.js';
import { MessageView } from './message.js';
import { MESSAGES_MAX, Past, TRIM_COUNT } from './past.js';
import { Scroller, keepPlace } from './scroll.js';
import { Thread } from './thread.js';

/** The last messages are always laid out; those above them only while they are visible. */
const LAID_OUT_MAX = 100;

export class Timeline {
  #log = $('messages');
  #scroller = new Scroller(() => this.toNewest());
  #live; // thread of the newest messages
  #outgoing; // thread of own messages that are being sent
  #past; // an older part of the history
  #pending = new Map(); // nonce → MessageView
  #hasEarlier = false;
  lastId = null;

  /**
   * `actions` are the callbacks of messages: reply, quote, edit, remove, react, press, choose, retry, discard,
   * cancelUpload, removeFromOutbox, link, open; and `history`, which requests a page.
   */
  constructor({ history, ...actions }) {
    this.room = {
      ...actions,
      me: '',
      author: null,
      find: (id) => this.#live.get(id) ?? this.#past.thread.get(id),
      jump: (id) => this.open(id),
      dismiss: (view) => this.#dismiss(view),
      onFocus: (view) => this.#rove(view.el),
    };
    this.history = history;
    this.#live = new Thread($('thread'), this.room);
    this.#outgoing = new Thread($('outgoing'), this.room, this.#live);
    this.#past = new Past(this.room, { history, live: this.#live, shown: (isOpen) => this.#showPast(isOpen) });
    this.#log.addEventListener('keydown', (event) => this.#onKey(event));
    onMenuRequest(this.#log, 'article', (el, place) => openMessageMenu(this.#viewOf(el), place));
    $('to-newest').addEventListener('click', () => this.toNewest());
  }

  get #threads() { return [this.#live, this.#past.thread]; }

  /** Sets the user: the name, and the `author` of own messages, since others may use the same name. */
  is(name, author) {
    this.room.me = name;
    this.room.author = author ?? null;
  }

  /** Shows or hides the button for earlier messages. */
  offerEarlier(offered) {
    this.#hasEarlier = offered;
    if (!this.#past.isOpen) $('earlier').hidden = !offered;
  }

  clear() {
    this.#past.close();
    this.#live.clear();
    this.#outgoing.clear();
    this.#pending.clear();
    this.lastId = null;
    this.offerEarlier(false);
    this.#scroller.toEnd();
    this.#hint();
  }

  /** Loads the messages received on joining; with `catchUp`, only the missed ones. */
  load(messages, catchUp) {
    this.#log.setAttribute('aria-busy', 'true');
    // Ephemeral messages are not in the history and keep their place by time.
    const ephemeral = catchUp ? [] : this.#live.views.filter((view) => view.ephemeral);
    const placeEphemeral = (until) => {
      while (ephemeral.length && ephemeral[0].date < until) this.#place(ephemeral.shift().msg, false);
    };
    if (!catchUp) this.#live.clear();
    for (const msg of messages) {
      placeEphemeral(toDate(msg.timestamp));
      this.#place(msg, catchUp);
    }
    placeEphemeral(Infinity);
    if (!catchUp && !this.#past.isOpen) this.#scroller.toEnd();
    this.#log.removeAttribute('aria-busy');
    this.#hint();
  }

  /** Loads earlier messages, without moving the visible part. Rejects with an error text to show. */
  async earlier() {
    if (this.#past.isOpen) return this.#past.earlier();
    const before = this.#live.firstId;
    if (!before) return this.offerEarlier(false);
    if (this.#live.size >= MESSAGES_MAX) return this.#past.openBefore();
    const { messages, has_more: hasMore } = await this.history({ before });
    const first = this.#live.get(before)?.el ?? this.#log.querySelector('article');
    keepPlace(first, () => {
      this.#live.prepend(messages ?? []);
      this.offerEarlier(Boolean(hasMore));
      return first;
    });
    this.#hint();
  }

  later() { return this.#past.later(); }

  /** Shows a message and highlights it, wherever in the history it is. Rejects with an error text to show. */
  async open(id) {
    const isShown = this.#past.isOpen ? this.#past.thread.get(id) : this.#live.get(id);
    if (!isShown && this.#live.get(id)) this.#past.close();
    else if (!isShown) await this.#past.open(id);
    this.#highlight((this.#past.isOpen ? this.#past.thread : this.#live).get(id)?.el);
  }

  toNewest() {
    this.#past.close();
    this.#scroller.toEnd();
    focusInput();
  }

  /** Adds a message. Returns true if it is new. */
  add(msg) {
    const fresh = this.#place(msg, true);
    this.#hint();
    return fresh;
  }

  edit(msg) {
    for (const thread of this.#threads) {
      const view = thread.get(msg.id);
      if (!view) continue;
      // An edit carries the whole message, so missing fields are removed, except for those that no edit changes.
      const { username, timestamp, bot, reply_to, pinned, ephemeral, private: direct } = view.msg;
      view.update({ username, timestamp, bot, reply_to, pinned, ephemeral, private: direct, ...msg });
      thread.refreshQuotes(msg.id);
    }
    this.#scroller.added(false);
  }

  remove(ids) {
    const active = document.activeElement;
    const within = this.#threads.some((thread) => ids.some((id) => thread.get(id)?.el.contains(active)));
    for (const thread of this.#threads) for (const id of ids) thread.remove(id);
    this.#outgoing.layoutFirst();
    this.#hint();
    if (within) focusInput();
  }

  pin(id, pinned) {
    for (const thread of this.#threads) thread.get(id)?.pin(pinned);
    this.#scroller.added(false);
  }

  react(change) {
    for (const thread of this.#threads) thread.get(change.id)?.react(change);
    this.#scroller.added(false);
  }

  /** Adds a notice; `tone` (bad or good) if it is about the user. */
  notice(text, tone) {
    const shape = tone ? `notice personal ${tone}` : 'notice';
    this.#live.appendNotice(h('p', { class: shape, dir: 'auto' }, text));
    this.#appended(null, false);
  }

  /** Adds an own message that is being sent. */
  addPending({ nonce, message, reply_to, time, files }) {
    const attachments = files.map((file) => ({
      name: file.name, content_type: file.type, size: file.size, url: URL.createObjectURL(file),
    }));
    const timestamp = new Date(time).toISOString();
    const msg = { username: this.room.me, message, nonce, reply_to, attachments, timestamp };
    const view = new MessageView(msg, this.room);
    view.setState('sending');
    this.#past.close();
    this.#pending.set(nonce, view);
    this.#outgoing.append(msg, view);
    this.#scroller.toEnd();
    this.#hint();
  }

  setState(nonce, state, detail) {
    this.#pending.get(nonce)?.setState(state, detail);
    this.#scroller.added(false);
  }

  /** Handles an acknowledgement. The message moves to its place when the room broadcasts it, unless it already has. */
  acknowledge(nonce, id, restored) {
    const view = this.#pending.get(nonce);
    if (!view) return;
    // A restored message that was sent before the reload is in the history, and may be older than its newest page.
    if (id && (restored || this.#live.has(id))) return this.discard(nonce);
    view.update({ ...view.msg, id });
    view.acknowledged = true;
  }

  discard(nonce) {
    this.#pending.get(nonce)?.el.remove();
    this.#pending.delete(nonce);
    this.#outgoing.layoutFirst();
    this.#hint();
  }

  lastOwn() { return this.#live.lastOwn(); }

  #place(msg, live) {
    const waiting = this.#waiting(msg);
    if (this.#live.has(msg.id)) {
      this.#live.get(msg.id)?.update(msg);
      return false;
    }
    // Catching up starts after this message, so it must be one that is in the history.
    if (!msg.ephemeral && !msg.private) this.lastId = msg.id;
    waiting?.update(msg);
    const el = this.#live.append(msg, waiting);
    const view = this.#live.viewOf(el);
    if (live && view && !waiting) el.classList.add('arriving');
    this.#appended(view, view && !view.own);
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

  /** An element was appended to the log: `view` if it is a message, `news` if it is one of somebody else. */
  #appended(view, news) {
    const today = dayKey(new Date());
    if (this.today !== today) {
      this.today = today;
      this.#live.refreshDays();
    }
    if (view) this.#rove(view.el, true);
    this.#outgoing.layoutFirst();
    // Its size is known by now, so that skipping its layout does not move the others.
    this.#live.el.children[this.#live.el.childElementCount - LAID_OUT_MAX]?.classList.add('rested');
    this.#bound();
    this.#scroller.added(news);
  }

  /** Removes the first messages when there are too many. */
  #bound() {
    const count = this.#live.el.childElementCount;
    if (count <= MESSAGES_MAX + TRIM_COUNT) return;
    if (!this.#scroller.stuck && !this.#past.isOpen) {
      // The user reads further up, and would lose the place.
      if (count <= 2 * MESSAGES_MAX) return;
      this.#past.openFrom(this.#firstVisible(), this.#hasEarlier);
    }
    this.#live.trim(count - MESSAGES_MAX);
    this.offerEarlier(true);
  }

  /** Returns the view of the first message that the user sees. */
  #firstVisible() {
    const { top } = this.#log.getBoundingClientRect();
    return this.#live.views.find((view) => view.el.getBoundingClientRect().bottom > top) ?? this.#live.views[0];
  }

  #showPast(isOpen) {
    this.#live.el.hidden = this.#outgoing.el.hidden = isOpen;
    this.#scroller.away = isOpen;
    if (!isOpen) $('earlier').hidden = !this.#hasEarlier;
    this.#hint();
  }

  #viewOf(el) {
    return [...this.#threads, this.#outgoing].map((thread) => thread.viewOf(el)).find(Boolean) ?? null;
  }

  #hint() { $('hint').hidden = this.#live.size > 0 || this.#pending.size > 0 || this.#past.isOpen; }

  #highlight(el) {
    if (!el) return;
    this.#scroller.release();
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
    const all = [...this.#log.querySelectorAll('.thread:not([hidden]) article')];
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
