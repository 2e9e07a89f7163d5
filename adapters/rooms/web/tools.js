// The toolbar of a message, and the short row of reactions that replaces it. It is built when the pointer or the focus
// is first on the message: most messages never need theirs.
import { $, h, icon } from './dom.js';
import { openMessageMenu } from './items.js';
import { t } from './language.js';
import { openPalette } from './palette.js';

const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

export class Tools {
  #built = false;

  constructor(view) {
    this.view = view;
    this.el = h('div', { class: 'tools', role: 'toolbar', 'aria-label': t.messageActions, 'aria-live': 'off' });
    for (const event of ['pointerenter', 'focusin']) view.el.addEventListener(event, () => this.#build());
  }

  /** The message has changed. */
  refresh() {
    this.view.el.classList.remove('picking');
    if (this.#built) this.#render();
  }

  #build() {
    if (this.#built) return;
    this.#built = true;
    this.#render();
  }

  #render() {
    const { view } = this;
    const { room, msg } = view;
    if (!msg.id || view.ephemeral) return this.el.replaceChildren();
    const tool = (name, label, onclick, kind = '') => h('button', {
      type: 'button', class: `icon-button ${kind}`, 'aria-label': label, title: label, onclick,
    }, icon(name));
    const more = tool('more', t.moreActions, () => {
      const { left, bottom } = more.getBoundingClientRect();
      openMessageMenu(view, { x: left, y: bottom });
    });
    more.setAttribute('aria-haspopup', 'menu');
    this.el.replaceChildren(
      tool('smile', t.react, () => this.#pick()),
      tool('reply', t.reply, () => room.reply(view), 'writing-tool'),
      ...(view.own ? [
        tool('pencil', t.edit, () => room.edit(view), 'writing-tool'),
        tool('trash', t.remove, () => room.remove(view), 'danger-tool'),
      ] : []), more);
  }

  /** Replaces the tools with the row of reactions, in the same place. */
  #pick() {
    const { view } = this;
    const done = (focus) => {
      view.el.classList.remove('picking');
      this.#render();
      if (focus) this.el.firstElementChild?.focus();
    };
    view.el.classList.add('picking');
    const quick = QUICK.map((emoji, index) => {
      const name = t.quickEmoji[index];
      const onclick = () => {
        view.toggleReaction(emoji);
        done(true);
      };
      const look = { class: 'icon-button emoji', 'aria-label': t.reactWith(name), title: name };
      return h('button', { type: 'button', ...look, onclick }, emoji);
    });
    this.el.replaceChildren(...quick, h('button', {
      type: 'button', class: 'icon-button palette-opener', 'aria-label': t.moreEmoji, title: t.moreEmoji,
      onclick: (event) => openPalette(event.currentTarget, (emoji) => view.toggleReaction(emoji)),
    }, icon('more')));
    this.el.onkeydown = (event) => {
      if (event.key !== 'Escape' || !view.el.classList.contains('picking')) return;
      event.stopPropagation();
      done(true);
    };
    this.el.onfocusout = (event) => {
      if (!view.el.classList.contains('picking') || view.el.contains(event.relatedTarget)) return;
      if (!$('palette').contains(event.relatedTarget)) setTimeout(done, 200);
    };
    this.el.firstElementChild.focus();
  }
}
