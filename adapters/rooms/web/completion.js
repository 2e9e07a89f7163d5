// Completion while writing: a listbox above the message box, for words that begin with @ or a colon.
// The text area is a combobox while the list is shown; the focus stays in it.
import { $, h } from './dom.js';
import { replaceText } from './insert.js';

const OPTIONS_MAX = 8;
const WORD = /(?:^|[\s(])([@:])([^\s@:]*)$/u;
const CLOSED_NAME = /(?:^|[\s(])(:([a-z0-9_+-]+):)$/;

export class Completion {
  #input = $('input');
  #list = $('completion');
  #options = []; // { value, label, detail }
  #active = 0;
  #start = 0; // position of the @ or the colon

  /**
   * `sources` maps @ and : to a function from the word to the options, { value, label, detail }. `emoji(name)` returns
   * the emoji to which a name between colons is replaced, or null.
   */
  constructor(sources, emoji) {
    this.sources = sources;
    this.emoji = emoji;
    this.#input.addEventListener('input', () => this.#onInput());
    this.#input.addEventListener('blur', () => this.close());
    this.#input.addEventListener('click', () => this.close());
    this.#list.addEventListener('pointerdown', (event) => event.preventDefault()); // keeps the focus in the text
    this.#list.addEventListener('click', (event) => {
      const index = [...this.#list.children].indexOf(event.target.closest('li'));
      if (index >= 0) this.#choose(index);
    });
  }

  /** Looks for options once more: there are more of them now. */
  refresh() {
    if (document.activeElement === this.#input) this.#onInput();
  }

  get isOpen() { return !this.#list.hidden; }

  close() {
    this.#options = [];
    this.#list.hidden = true;
    for (const name of ['role', 'aria-expanded', 'aria-controls', 'aria-activedescendant', 'aria-autocomplete']) {
      this.#input.removeAttribute(name);
    }
  }

  /** Handles a key of the text area. Returns whether it was for the list. */
  onKey(event) {
    if (!this.isOpen) return false;
    const count = this.#options.length;
    if (event.key === 'ArrowDown') this.#activate((this.#active + 1) % count);
    else if (event.key === 'ArrowUp') this.#activate((this.#active + count - 1) % count);
    else if (event.key === 'Escape') this.close();
    else if (event.key === 'Tab' && !event.shiftKey) this.#choose(this.#active);
    else if (event.key === 'Enter' && !event.shiftKey && !this.#isTyped()) this.#choose(this.#active);
    else return false;
    event.preventDefault();
    return true;
  }

  /** Whether the active option is already written out: then Enter sends the message. */
  #isTyped() {
    return this.#input.value.slice(this.#start, this.#input.selectionEnd) === this.#options[this.#active].value;
  }

  #onInput() {
    const { value, selectionStart, selectionEnd } = this.#input;
    if (selectionStart !== selectionEnd) return this.close();
    const before = value.slice(0, selectionEnd);
    const closed = CLOSED_NAME.exec(before);
    const emoji = closed && this.emoji(closed[2]);
    if (emoji) return replaceText(this.#input, selectionEnd - closed[1].length, selectionEnd, emoji);
    const word = WORD.exec(before);
    if (!word) return this.close();
    this.#start = selectionEnd - word[2].length - 1;
    this.#show(this.sources[word[1]](word[2]).slice(0, OPTIONS_MAX));
  }

  #show(options) {
    if (!options.length) return this.close();
    this.#options = options;
    this.#list.replaceChildren(...options.map(({ label, detail }, index) =>
      h('li', { role: 'option', id: `completion-${index}`, class: 'option' },
        h('span', { class: 'completion-label', dir: 'auto' }, label),
        detail && h('span', { class: 'completion-detail', dir: 'auto' }, detail))));
    this.#list.hidden = false;
    this.#input.setAttribute('role', 'combobox');
    this.#input.setAttribute('aria-autocomplete', 'list');
    this.#input.setAttribute('aria-expanded', 'true');
    this.#input.setAttribute('aria-controls', this.#list.id);
    this.#activate(0);
  }

  #activate(index) {
    this.#active = index;
    [...this.#list.children].forEach((row, at) => row.setAttribute('aria-selected', String(at === index)));
    this.#input.setAttribute('aria-activedescendant', `completion-${index}`);
    this.#list.children[index].scrollIntoView({ block: 'nearest' });
  }

  #choose(index) {
    const { value } = this.#options[index];
    const end = this.#input.selectionEnd;
    this.close();
    const space = this.#input.value[end] === ' ' ? '' : ' ';
    replaceText(this.#input, this.#start, end, value + space);
    this.close();
  }
}

/** Returns the names for @, those that begin with the word first. */
export function matchingNames(names, word) {
  const wanted = word.toLowerCase();
  const place = (name) => name.toLowerCase().indexOf(wanted);
  const found = names.filter((name) => place(name) >= 0);
  return found.sort((a, b) => Math.min(place(a), 1) - Math.min(place(b), 1) || a.localeCompare(b));
}
