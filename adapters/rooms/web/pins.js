// The pinned messages: a count in the bar, and a list below it.
import { clock, dayLabel, fullDate, toDate } from './dates.js';
import { $, h } from './dom.js';
import { t } from './language.js';
import { summary } from './message.js';
import { colourOf } from './people.js';

export class Pins {
  #panel = $('pins');
  #open = false;
  #pinned = new Map(); // id → message

  /** `open(id)` shows a message in the log. */
  constructor(open) {
    this.open = open;
    this.#panel.addEventListener('beforetoggle', () => {
      // The height of the bar depends on the topic.
      this.#panel.style.top = `${document.querySelector('.bar').getBoundingClientRect().bottom + 6}px`;
    });
    this.#panel.addEventListener('toggle', ({ newState }) => {
      this.#open = newState === 'open';
      if (!this.#open) return;
      this.#render();
      $('pin-list').querySelector('button')?.focus();
    });
  }

  /** Loads pinned messages; `more` adds to those already loaded. */
  load(messages, more) {
    if (!more) this.#pinned.clear();
    for (const msg of messages) if (msg.pinned) this.#pinned.set(msg.id, msg);
    this.#changed();
  }

  set(msg, pinned) {
    if (pinned) this.#pinned.set(msg.id, msg);
    else this.#pinned.delete(msg.id);
    this.#changed();
  }

  /** Updates an edited message. */
  edited(msg) {
    if (this.#pinned.has(msg.id)) this.set({ ...this.#pinned.get(msg.id), ...msg }, true);
  }

  remove(ids) {
    for (const id of ids) this.#pinned.delete(id);
    this.#changed();
  }

  clear() {
    this.#pinned.clear();
    this.#changed();
  }

  #changed() {
    const count = this.#pinned.size;
    const button = $('pins-toggle');
    if (count === 0 && this.#open) this.#panel.hidePopover();
    else if (this.#open) this.#render();
    button.hidden = count === 0;
    button.querySelector('.count').textContent = String(count);
    button.setAttribute('aria-label', t.pinnedMessages(count));
  }

  #render() {
    const latestFirst = [...this.#pinned.values()].sort((a, b) => toDate(b.timestamp) - toDate(a.timestamp));
    $('pin-list').replaceChildren(...latestFirst.map((msg) => h('li', {}, this.#row(msg))));
  }

  #row(msg) {
    const date = toDate(msg.timestamp);
    const content = [
      h('span', { class: 'pin-head' },
        h('bdi', { class: `author ${colourOf(msg.username)}` }, msg.username), ' ',
        h('time', { datetime: date.toISOString(), title: fullDate(date) }, `${dayLabel(date)}, ${clock(date)}`)), ' ',
      h('span', { class: 'pin-text', dir: 'auto' }, summary(msg)),
    ];
    return h('button', {
      type: 'button', class: 'pin', onclick: () => {
        this.#panel.hidePopover();
        this.open(msg.id);
      },
    }, content);
  }
}
