// The view of one message. All user input is put in text nodes.
import { attachment } from './attachments.js';
import { controls } from './controls.js';
import { clock, fullDate, toDate } from './dates.js';
import { h, icon } from './dom.js';
import { link, safeUrl } from './inline.js';
import { t } from './language.js';
import { render } from './markdown.js';
import { mentions } from './mentions.js';
import { avatar, colourOf } from './people.js';
import { showState } from './status.js';
import { Tools } from './tools.js';

const JUMBO = /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*\s*){1,3}$/u;

export class MessageView {
  /** `room` is the context of a message: `me`, `author`, `find(id)`, `jump(id)` and the actions. */
  constructor(msg, room) {
    this.room = room;
    this.parts = Object.fromEntries(['meta', 'quote', 'text', 'embeds', 'files', 'actions', 'reactions', 'status']
      .map((name) => [name, h(name === 'status' ? 'p' : 'div', { class: name })]));
    this.parts.text.dir = 'auto';
    this.parts.status.setAttribute('role', 'status');
    this.banner = h('div', { class: 'banner' });
    this.el = h('article', { class: 'message', tabindex: '-1' });
    this.tools = new Tools(this);
    this.el.append(
      this.tools.el, this.banner, avatar(msg.username), h('div', { class: 'body' }, Object.values(this.parts)));
    this.el.addEventListener('focusin', () => room.onFocus(this));
    this.update(msg);
  }

  get own() {
    const { username, author, bot } = this.msg;
    return !bot && (author ? author === this.room.author : username === this.room.me);
  }

  /** Whether only this user sees the message: an ephemeral or direct message, which is not in the history. */
  get ephemeral() { return Boolean(this.msg.ephemeral || this.msg.private); }

  update(msg) {
    this.msg = msg;
    this.date = toDate(msg.timestamp);
    this.reactions = new Map(Object.entries(msg.reactions ?? {}).map(([emoji, names]) => [emoji, new Set(names)]));
    const { meta, text, embeds } = this.parts;
    if (msg.id) this.el.dataset.id = msg.id;
    this.el.dataset.username = msg.username;
    this.el.classList.remove(...[...this.el.classList].filter((name) => /^c\d$/.test(name)));
    this.el.classList.add(colourOf(msg.username));
    this.el.classList.toggle('own', this.own);
    this.el.classList.toggle('ephemeral', this.ephemeral);
    this.el.classList.toggle('mention', !this.own && mentions(msg.message, this.room.me));
    meta.replaceChildren(
      h('bdi', { class: 'author' }, msg.username), ' ',
      msg.bot ? h('span', { class: 'badge' }, t.bot) : '', ' ',
      h('time', { datetime: this.date.toISOString(), title: fullDate(this.date) }, clock(this.date)));
    text.replaceChildren(render(msg.message));
    text.classList.toggle('jumbo', JUMBO.test(msg.message ?? ''));
    this.el.classList.toggle('edited', Boolean(msg.edited));
    embeds.replaceChildren(...(msg.embeds ?? []).map(embed));
    this.#renew('files', msg.attachments, () => (msg.attachments ?? []).map(attachment));
    this.#renew('actions', [msg.buttons, msg.select], () => controls(msg, {
      press: (action) => this.room.press(this.msg.id, action),
      choose: (action, values) => this.room.choose(this.msg.id, action, values),
    }));
    this.#renderBanner();
    this.refreshQuote();
    this.#renderReactions();
    this.tools.refresh();
    this.setState('sent');
  }

  /** `state`: sent, queued, sending, uploading (with the fraction that is done) or failed (with a reason). */
  setState(state, detail) {
    this.el.classList.toggle('pending', ['queued', 'sending', 'uploading'].includes(state));
    this.el.classList.toggle('failed', state === 'failed');
    showState(this, state, detail);
  }

  pin(pinned) {
    this.msg = { ...this.msg, pinned };
    this.#renderBanner();
  }

  refreshQuote() {
    const { quote } = this.parts;
    const id = this.msg.reply_to;
    if (!id) return quote.replaceChildren();
    const original = this.room.find(id);
    this.el.dataset.replyTo = id;
    if (!original) {
      return quote.replaceChildren(h('button', { type: 'button', class: 'quoted', onclick: () => this.room.jump(id) },
        t.replyToNotLoaded));
    }
    const colour = colourOf(original.msg.username);
    quote.replaceChildren(h('button', { type: 'button', class: `quoted ${colour}`, onclick: () => this.room.jump(id) },
      h('span', { class: 'visually-hidden' }, t.inReplyTo),
      h('bdi', { class: 'author' }, original.msg.username), ' ',
      h('span', { class: 'excerpt', dir: 'auto' }, summary(original.msg))));
  }

  react({ emoji, username, added }) {
    const names = this.reactions.get(emoji) ?? new Set();
    if (added) names.add(username);
    else names.delete(username);
    if (names.size) this.reactions.set(emoji, names);
    else this.reactions.delete(emoji);
    this.#renderReactions();
  }

  /** Adds one's own reaction, or removes it. */
  toggleReaction(emoji) {
    this.room.react(this.msg.id, emoji, this.reactions.get(emoji)?.has(this.room.me) ?? false);
    if (!this.el.contains(document.activeElement)) this.el.focus({ preventScroll: true });
  }

  /** Rebuilds a part only if its data has changed: the user may be choosing, and images are loaded. */
  #renew(part, from, build) {
    const made = JSON.stringify(from ?? null);
    const box = this.parts[part];
    if (box.made === made) return;
    box.made = made;
    const focused = box.contains(document.activeElement);
    box.replaceChildren(...build());
    if (focused) this.el.focus({ preventScroll: true });
  }

  /** Renders the line above a message: who can see it, or that it is pinned. */
  #renderBanner() {
    const { msg, room } = this;
    if (this.ephemeral) {
      const words = msg.private ? [t.directFrom, h('bdi', {}, msg.username)] : [t.onlyYou];
      const dismiss = h('button', { type: 'button', class: 'dismiss', onclick: () => room.dismiss(this) }, t.dismiss);
      this.banner.replaceChildren(icon(msg.private ? 'envelope' : 'eye'), h('span', {}, words), dismiss);
    } else if (msg.pinned) {
      this.banner.replaceChildren(icon('pin'), h('span', {}, t.pinned));
    } else {
      this.banner.replaceChildren();
    }
  }

  #renderReactions() {
    const box = this.parts.reactions;
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.emoji : null;
    box.replaceChildren(...[...this.reactions].filter(([, names]) => names.size).map(([emoji, names]) => {
      const mine = names.has(this.room.me);
      const who = [...names].join(', ');
      return h('button', {
        type: 'button', class: 'chip', title: who, dataset: { emoji }, 'aria-pressed': String(mine),
        'aria-label': `${emoji} ${names.size}: ${who}`,
        onclick: () => this.room.react(this.msg.id, emoji, mine),
      }, h('span', {}, emoji), ' ', h('span', { class: 'chip-count' }, String(names.size)));
    }));
    if (focused) ([...box.children].find((chip) => chip.dataset.emoji === focused) ?? this.el).focus();
  }
}

export function excerpt(text) {
  const shown = String(text ?? '').replace(/\|\|(?=\S)[^]*?\S\|\|/g, '▒▒▒'); // spoilers stay hidden
  const line = shown.replace(/```\w*|\*\*|~~|^> ?/gm, '').replace(/\s+/g, ' ').trim();
  return line.length > 140 ? `${[...line].slice(0, 140).join('')}…` : line;
}

/** Returns a message as one line, also when it has no text. */
export function summary({ message, embeds, attachments }) {
  const files = (attachments ?? []).map((file) => file.name).join(', ');
  return excerpt(message) || excerpt(embeds?.[0]?.title || embeds?.[0]?.description) || files;
}

function embed({ title, description, url, color, fields }) {
  const href = url ? safeUrl(String(url)) : null;
  const card = h('div', { class: 'embed' },
    title && h('p', { class: 'embed-title' }, href ? link(href, [String(title)]) : String(title)),
    description && h('div', { class: 'embed-text' }, render(description)),
    !title && href && h('p', {}, link(href, [href])),
    fields?.length > 0 && h('dl', {}, fields.map(({ name, value, inline }) =>
      h('div', { class: inline ? 'field inline' : 'field' }, h('dt', {}, String(name)), h('dd', {}, render(value))))));
  const hex = typeof color === 'number' ? `#${(color & 0xffffff).toString(16).padStart(6, '0')}` : String(color ?? '');
  if (/^#[0-9a-f]{6}$/i.test(hex)) card.style.setProperty('--embed', hex);
  return card;
}
