// Copying text to the clipboard.
import { h } from './dom.js';

/** Resolves to whether the text is in the clipboard. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** The way without a secure context, where there is no clipboard API. */
function copySelected(text) {
  const active = document.activeElement;
  const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  active?.focus({ preventScroll: true });
  return copied;
}
