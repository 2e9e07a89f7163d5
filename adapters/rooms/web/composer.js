// The message box: it grows with its text, sends typing indicators, and is also used for replies and
// edits. Whether writing is allowed is decided in restrictions.js.
import { Completion, matchingNames } from './completion.js';
import { $, focusInput } from './dom.js';
import { Drafts } from './drafts.js';
import * as emoji from './emoji.js';
import { Files } from './files.js';
import { insertText } from './insert.js';
import { t } from './language.js';
import { excerpt } from './message.js';
import { openPalette } from './palette.js';

const TEXT_MAX = 5000;
const COUNTER_FROM = 4500;
const TYPING_INTERVAL_MS = 3000;
const TYPING_IDLE_MS = 4000;

export class Composer {
  #input = $('input');
  #files = new Files(() => this.#refresh());
  #drafts = new Drafts();
  #completion;
  #mode = null; // { kind: 'reply' | 'edit', view }
  #draft = '';
  #blocked = null; // the reason why writing is blocked, or null
  #shelved = '';
  #held = false; // only sending has to wait (slow mode)
  #invitation = $('input').placeholder;
  #typingSent = 0;
  #silence = null;

  /**
   * `on`: send(text, replyTo, files), edit(id, text) → promise, typing(bool), lastOwn() → view or null,
   * tooEarly() when sending has to wait, names() → names to mention.
   */
  constructor(on) {
    this.on = on;
    this.#completion = new Completion({
      '@': (word) => matchingNames(on.names(), word).map((name) => ({ value: `@${name}`, label: `@${name}` })),
      ':': (word) => this.#emojiOptions(word),
    }, emoji.named);
    $('emoji').addEventListener('click', () => openPalette($('emoji'), (chosen) => insertText(this.#input, chosen)));
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('input', () => this.#onInput());
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    $('context-cancel').addEventListener('click', () => this.cancel());
    addEventListener('resize', () => this.#fit());
  }

  focus() { focusInput(); }

  /** Begins to write in a room, with the draft that was left there. */
  enter(room) {
    const draft = this.#drafts.open(room);
    if (this.#blocked === null) this.#set(draft);
    else this.#shelved = draft;
  }

  reset() {
    this.#drafts.close();
    this.#completion.close();
    this.#mode = null;
    this.#draft = this.#shelved = '';
    this.#files.take();
    this.#showMode();
    this.#set('');
    this.#stopTyping();
  }

  reply(view) {
    if (this.#mode?.kind === 'edit') this.cancel();
    this.#mode = { kind: 'reply', view };
    this.#showMode();
    this.focus();
  }

  edit(view) {
    if (this.#mode?.kind !== 'edit') this.#draft = this.#input.value;
    this.#mode = { kind: 'edit', view };
    this.#files.allow(false);
    this.#showMode();
    this.#set(view.msg.message);
    this.focus();
    this.#input.setSelectionRange(this.#input.value.length, this.#input.value.length);
  }

  cancel() {
    const edited = this.#mode?.kind === 'edit';
    this.#mode = null;
    this.#files.allow(this.#blocked === null);
    this.#showMode();
    if (edited) this.#set(this.#draft);
    this.focus();
  }

  /** Puts a text into the message as a quote. */
  quote(text) {
    const { value, selectionStart } = this.#input;
    const before = value.slice(0, selectionStart);
    const gap = before && !before.endsWith('\n') ? '\n' : '';
    insertText(this.#input, `${gap}${text.replace(/^/gm, '> ')}\n\n`);
  }

  /** Blocks writing for a reason; null allows it again and restores the draft. */
  block(reason) {
    if (reason === this.#blocked) return;
    if (reason && this.#blocked === null) {
      if (this.#mode?.kind === 'edit') this.cancel();
      if (this.#input === document.activeElement) $('messages').focus({ preventScroll: true });
      this.#shelved = this.#input.value;
      this.#stopTyping();
    }
    this.#blocked = reason;
    this.#input.disabled = $('emoji').disabled = reason !== null;
    this.#files.allow(reason === null);
    if (reason !== null) this.#files.take();
    this.#input.placeholder = reason ?? this.#invitation;
    $('chat-view').classList.toggle('read-only', reason !== null);
    this.#set(reason === null ? this.#shelved : '');
    if (reason === null) this.#shelved = '';
  }

  /** Holds back sending; messages can still be written. */
  hold(held) {
    if (held === this.#held) return;
    this.#held = held;
    this.#refresh();
  }

  /** Cancels a reply to or an edit of a deleted message. */
  forget(id) {
    if (this.#mode?.view.msg.id === id) this.cancel();
  }

  /** Returns the emoji for a colon and the beginning of a name, once the list is loaded. */
  #emojiOptions(word) {
    if (!emoji.isLoaded()) {
      emoji.load().then(() => this.#completion.refresh(), () => {}); // without the list there are no suggestions
    }
    if (word.length < 2) return [];
    return emoji.search(word, 8).map((each) => ({
      value: each.emoji, label: each.emoji, detail: `:${each.names[0]}:`,
    }));
  }

  get #waits() { return this.#held && this.#mode?.kind !== 'edit'; }

  async #submit() {
    const text = this.#input.value.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();
    const mode = this.#mode;
    const bare = mode?.kind === 'edit' || !this.#files.count;
    if ((!text && bare) || length(text) > TEXT_MAX || this.busy) return;
    if (this.#waits) return this.on.tooEarly();
    this.#stopTyping();
    if (mode?.kind === 'edit') {
      if (text !== mode.view.msg.message) {
        this.busy = true;
        const done = await this.on.edit(mode.view.msg.id, text);
        this.busy = false;
        if (!done) return;
      }
      if (this.#mode === mode) this.cancel();
      return;
    }
    this.#mode = null;
    this.#showMode();
    this.#set('');
    this.#drafts.save('');
    this.focus();
    this.on.send(text, mode?.view.msg.id, this.#files.take());
  }

  #onKey(event) {
    if (event.isComposing || event.keyCode === 229 || this.#completion.onKey(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'Escape' && this.#mode) {
      event.preventDefault();
      this.cancel();
    } else if (event.key === 'ArrowUp' && !this.#input.value && !this.#mode) {
      const view = this.on.lastOwn();
      if (!view) return;
      event.preventDefault();
      this.edit(view);
    }
  }

  #onInput() {
    this.#refresh();
    if (this.#mode?.kind !== 'edit') this.#drafts.save(this.#input.value);
    if (!this.#input.value.trim() || this.#mode?.kind === 'edit') return this.#stopTyping();
    const now = Date.now();
    if (now - this.#typingSent >= TYPING_INTERVAL_MS) {
      this.#typingSent = now;
      this.on.typing(true);
    }
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#stopTyping(), TYPING_IDLE_MS);
  }

  #stopTyping() {
    clearTimeout(this.#silence);
    if (this.#typingSent) this.on.typing(false);
    this.#typingSent = 0;
  }

  #set(text) {
    this.#input.value = text;
    this.#refresh();
  }

  #refresh() {
    this.#fit();
    const count = length(this.#input.value);
    $('counter').textContent = count > COUNTER_FROM ? `${count} / ${TEXT_MAX}` : '';
    $('counter').classList.toggle('over', count > TEXT_MAX);
    this.#input.setAttribute('aria-invalid', String(count > TEXT_MAX));
    const empty = !this.#input.value.trim() && (!this.#files.count || this.#mode?.kind === 'edit');
    $('send').disabled = empty || count > TEXT_MAX || this.#waits;
  }

  #fit() {
    this.#input.style.height = 'auto';
    const height = this.#input.scrollHeight; // 0 while the chat is not shown
    if (height) this.#input.style.height = `${height}px`;
  }

  #showMode() {
    const { kind, view } = this.#mode ?? {};
    this.#refresh();
    $('context').hidden = !kind;
    $('send').setAttribute('aria-label', kind === 'edit' ? t.save : t.send);
    $('send').title = kind === 'edit' ? t.save : t.send;
    $('context-cancel').setAttribute('aria-label', kind === 'edit' ? t.cancelEdit : t.cancelReply);
    if (kind === 'edit') $('context-text').textContent = t.editing;
    else if (kind) $('context-text').textContent = t.replyingTo(view.msg.username, excerpt(view.msg.message));
  }
}

/** The limit counts characters, not UTF-16 units. */
const length = (text) => [...text].length;
