// Keeps the log at its end unless the user scrolled up or reads an older part of the history; then counts new
// messages and offers to jump to them.
import { $ } from './dom.js';
import { t } from './language.js';

const NEAR_END_PX = 48;
/** The time after an input of the user in which a scroll is theirs, in milliseconds. */
const INPUT_MS = 1000;
/** The time after a new message in which its layout may scroll the log, in milliseconds. */
const LAYOUT_MS = 500;

export class Scroller {
  #log = $('messages');
  #button = $('new-messages');
  #missed = 0;
  #frame = null;
  #top = 0; // scroll position at the last look
  #inputTime = 0;
  #addedTime = 0;
  stuck = true;
  #away = false;

  /** `toNewest()` is called when the user wants to see the new messages. */
  constructor(toNewest) {
    for (const input of ['wheel', 'touchmove', 'pointerdown', 'keydown']) {
      this.#log.addEventListener(input, () => { this.#inputTime = performance.now(); }, { passive: true });
    }
    this.#log.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#log;
      // Messages that have arrived since the last scroll also increase the distance from the end.
      if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.stuck = !this.#away;
      else if (scrollTop < this.#top && this.#isByUser()) this.stuck = false;
      this.#top = scrollTop;
      if (this.stuck) this.#show(0);
    }, { passive: true });
    this.#button.addEventListener('click', toNewest);
    // The log shrinks when the composer grows or a keyboard opens, and its content grows while fonts and text arrive.
    const observer = new ResizeObserver(() => { if (this.stuck) this.#scroll(); });
    observer.observe(this.#log);
    for (const thread of this.#log.children) observer.observe(thread);
  }

  /** Whether an older part of the history is shown instead of the log. */
  set away(away) {
    this.#away = away;
    if (away) this.stuck = false;
    // There, the button for later messages is at the end of the log.
    this.#button.classList.toggle('aside', away);
  }

  #isByUser() {
    const now = performance.now();
    return now - this.#inputTime < INPUT_MS || now - this.#addedTime > LAYOUT_MS;
  }

  /** The log shows another place than its end. */
  release() { this.stuck = false; }

  /** An element was added: scrolls to it, or counts it if it is a new message. */
  added(news) {
    this.#addedTime = performance.now();
    if (this.stuck) this.toEnd();
    else if (news) this.#show(this.#missed + 1);
  }

  toEnd() {
    if (this.#away) return;
    this.stuck = true;
    this.#show(0);
    // Once for all messages that arrive together: each scroll computes the layout of the log.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      if (this.stuck) this.#scroll();
    });
  }

  #scroll() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#top = this.#log.scrollTop;
  }

  #show(missed) {
    this.#missed = missed;
    this.#button.hidden = missed === 0;
    this.#button.querySelector('[data-label]').textContent = t.newMessagesCount(missed);
  }
}

/** Runs `change`, which returns the element that takes the place of `el`, and keeps it where `el` was. */
export function keepPlace(el, change) {
  const before = el?.getBoundingClientRect().top;
  const now = change();
  if (el && now) $('messages').scrollTop += now.getBoundingClientRect().top - before;
}
