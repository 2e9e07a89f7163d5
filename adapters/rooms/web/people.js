// The member list and the typing indicator; initials and colours of names.
import { $, h, whileAsking } from './dom.js';
import { t } from './language.js';

const COLOURS = 7;
const TYPING_TIMEOUT_MS = 6000;

/** Returns the CSS class of a name's colour, always the same one for the same name. */
export function colourOf(name) {
  let hash = 2166136261;
  for (const char of name.toLowerCase()) hash = Math.imul(hash ^ char.codePointAt(0), 16777619) >>> 0;
  return `c${((hash ^ (hash >>> 15)) >>> 0) % COLOURS}`;
}

export function initials(name) {
  const words = name.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);
  const letters = words.length > 1 ? [[...words[0]][0], [...words[1]][0]] : [...(words[0] ?? name)].slice(0, 2);
  return letters.join('').toUpperCase() || '?';
}

export function avatar(name) {
  return h('span', { class: `avatar ${colourOf(name)}`, 'aria-hidden': 'true' }, initials(name));
}

/** The member list, which is a drawer on narrow screens. */
export class People {
  #users = new Map();
  #count = 0; // number of people; the list may have only some of them
  #next = null; // cursor of the next page
  #narrow = matchMedia('(max-width: 820px)');
  #open = false;

  /** `more(cursor)` requests the next page of the list. */
  constructor(more) {
    this.more = more;
    $('people-toggle').addEventListener('click', () => this.#show(!this.#open));
    $('people-close').addEventListener('click', () => this.#show(false));
    $('backdrop').addEventListener('click', () => this.#show(false));
    $('people-panel').addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#show(false);
    });
    this.#narrow.addEventListener('change', () => this.#show(false));
    this.#show(false);
  }

  /** Sets the first page of the list. */
  set(users, { me, count, next }) {
    this.me = me ?? this.me;
    this.#users.clear();
    this.append(users, { count, next });
  }

  /** Adds a further page. */
  append(users, { count, next }) {
    for (const user of users) this.#users.set(String(user.username), Boolean(user.bot));
    this.#count = count ?? 0;
    this.#next = next ?? null;
    this.#render();
  }

  /** Applies joins and leaves; `count` is the number of people now. */
  change(joined, left, count) {
    for (const name of joined) if (!this.#users.has(name)) this.#users.set(name, false);
    for (const name of left) this.#users.delete(name);
    this.#count = count ?? this.#count;
    this.#render();
  }

  /** The names in the list, except the user's own. */
  get names() { return [...this.#users.keys()].filter((name) => name !== this.me); }

  close() { if (this.#open) this.#show(false); }

  #show(open) {
    const wasOpen = this.#open;
    this.#open = open && this.#narrow.matches;
    $('people-panel').classList.toggle('open', this.#open);
    $('people-panel').inert = this.#narrow.matches && !this.#open;
    $('backdrop').hidden = !this.#open;
    $('people-toggle').setAttribute('aria-expanded', String(this.#open));
    if (this.#open) $('people-close').focus();
    else if (wasOpen) $('people-toggle').focus();
  }

  #render() {
    // People first, then bots; each by name.
    const order = ([a, aBot], [b, bBot]) => aBot - bBot || a.localeCompare(b, undefined, { sensitivity: 'base' });
    const rows = [...this.#users].sort(order).map(([name, bot]) =>
      h('li', { dataset: { username: name } },
        avatar(name),
        h('bdi', { class: 'person-name', title: name }, name),
        name === this.me && h('span', { class: 'you' }, t.you),
        bot && h('span', { class: 'badge' }, t.bot)));
    if (this.#next) {
      const showMore = () => whileAsking(button, () => this.more(this.#next));
      const button = h('button', { type: 'button', class: 'more', onclick: showMore }, t.showMore);
      rows.push(h('li', {}, button));
    }
    $('people').replaceChildren(...rows);
    const count = this.#next ? this.#count : this.#users.size;
    for (const el of document.querySelectorAll('[data-count]')) el.textContent = String(count);
    $('people-toggle').setAttribute('aria-label', t.peopleInRoom(count));
  }
}

/** “alice is typing…”: a name is removed after a timeout. */
export class Typing {
  #timers = new Map();

  set(name, isTyping) {
    clearTimeout(this.#timers.get(name));
    if (isTyping) this.#timers.set(name, setTimeout(() => this.set(name, false), TYPING_TIMEOUT_MS));
    else this.#timers.delete(name);
    this.#render();
  }

  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#render();
  }

  #render() {
    const names = [...this.#timers.keys()];
    $('typing').classList.toggle('active', names.length > 0);
    $('typing').textContent = t.typing(names);
  }
}
