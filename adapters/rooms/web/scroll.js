// Keeps the log at its end unless the user scrolled up; then counts new messages and offers to jump to them.
import { $, focusInput } from './dom.js';

const NEAR_END_PX = 48;

export class Scroller {
  #log = $('messages');
  #button = $('new-messages');
  #missed = 0;
  stuck = true;

  constructor() {
    this.#log.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#log;
      this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      if (this.stuck) this.#show(0);
    }, { passive: true });
    this.#button.addEventListener('click', () => {
      this.toEnd();
      focusInput();
    });
    // The log shrinks when the composer grows or a keyboard opens, and its content grows while fonts and text arrive.
    const observer = new ResizeObserver(() => { if (this.stuck) this.toEnd(); });
    observer.observe(this.#log);
    for (const thread of this.#log.children) observer.observe(thread);
  }

  /** An element was added: scrolls to it, or counts it if it is a new message. */
  added(news) {
    if (this.stuck) this.toEnd();
    else if (news) this.#show(this.#missed + 1);
  }

  toEnd() {
    this.stuck = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#show(0);
  }

  #show(missed) {
    this.#missed = missed;
    this.#button.hidden = missed === 0;
    this.#button.querySelector('[data-label]').textContent = missed > 1 ? `New messages (${missed})` : 'New messages';
  }
}
