// What can be done with a message: the items of its menu.
import { copyText } from './copy.js';
import { $, toast } from './dom.js';
import { t } from './language.js';
import { openMenu } from './menu.js';
import { openPalette } from './palette.js';

/** Opens the menu of a message at a place, { x, y }. */
export function openMessageMenu(view, place) {
  if (!view) return;
  const selected = selectedIn(view.parts.text);
  openMenu(itemsOf(view, selected), place, view.el);
}

function itemsOf(view, selected) {
  const { room, msg } = view;
  const isStored = Boolean(msg.id) && !view.ephemeral;
  const canWrite = isStored && !$('input').disabled;
  const text = selected || String(msg.message ?? '');
  return [
    isStored && { icon: 'smile', label: t.react, run: () => react(view) },
    canWrite && { icon: 'reply', label: t.reply, run: () => room.reply(view) },
    canWrite && text && { icon: 'quote', label: t.quote, run: () => room.quote(text) },
    text && { icon: 'copy', label: t.copyText, run: () => copy(text, t.textCopied) },
    isStored && { icon: 'link', label: t.copyLink, run: () => copy(room.link(msg.id), t.linkCopied) },
    canWrite && view.own && { icon: 'pencil', label: t.edit, run: () => room.edit(view) },
    isStored && view.own && { icon: 'trash', label: t.remove, danger: true, run: () => room.remove(view) },
  ].filter(Boolean);
}

function react(view) { openPalette(view.el, (emoji) => view.toggleReaction(emoji)); }

/** Returns the selected text if the selection is within an element. */
function selectedIn(el) {
  const selection = getSelection();
  const isWithin = el.contains(selection.anchorNode) && el.contains(selection.focusNode);
  return isWithin ? String(selection).trim() : '';
}

async function copy(text, done) {
  const copied = await copyText(text);
  toast(copied ? done : t.notCopied, copied ? 'info' : 'error');
}
