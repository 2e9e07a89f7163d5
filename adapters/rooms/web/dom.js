// Helpers of the other modules: building elements, icons, focus, storage, toasts.
import { t } from './language.js';

/**
 * Builds an element. Functions named on… become listeners, `dataset` is copied, the rest are attributes. Children are
 * nodes or text.
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'dataset') Object.assign(el.dataset, value);
    else if (typeof value === 'function') el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return el;
}

export const $ = (id) => document.getElementById(id);

const ICONS = {
  smile: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14c.8 1.3 2 2 3.5 2s2.7-.7 3.5-2M9 9.5v.5M15 9.5v.5',
  reply: 'M9.5 6L4 11.5 9.5 17M4.5 11.5H14c3.5 0 6 2.3 6 6.5',
  pencil: 'M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5l3.5 3.5',
  trash: 'M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.2 11v5.5M13.8 11v5.5',
  close: 'M6 6l12 12M18 6L6 18',
  pin: 'M9 4h6l-.7 6.2 3.2 3.3v1.5h-11v-1.5l3.2-3.3zM12 15v5.5',
  eye: 'M2.5 12C4.4 8.2 7.8 6 12 6s7.6 2.2 9.5 6c-1.9 3.8-5.3 6-9.5 6s-7.6-2.2-9.5-6z'
    + 'M12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z',
  envelope: 'M3.5 6h17v12h-17zM4 6.5l8 6.5 8-6.5',
  file: 'M6 3.5h7.5L18.5 8.5v12H6zM13 3.5V9h5.5',
  quote: 'M5 6.5h5v5.5c0 3-1.5 4.5-4 5.5M14 6.5h5v5.5c0 3-1.5 4.5-4 5.5',
  copy: 'M9 8.5h10.5v12H9zM15 8.5v-5H4.5v12H9',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L11.5 7.5M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7l1.8-1.7',
  more: [5.5, 12, 18.5].map((x) => `M${x} 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z`).join(''),
  down: 'M6.5 9.5L12 15l5.5-5.5',
  outside: 'M13.5 4.5h6v6M19 5l-8 8M17.5 14v5.5h-13v-13H10',
};

export function icon(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(ns, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Focuses the message box, or the log while writing is blocked. */
export function focusInput() {
  ($('input').disabled ? $('messages') : $('input')).focus();
}

/** Runs `work` unless it is already running. The button is not disabled, since it would lose the focus. */
export async function whileAsking(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try { await work(); } finally { button.removeAttribute('aria-disabled'); }
}

/** localStorage that never throws; a browser may deny access. */
export const store = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* not stored */ } },
  /** Returns the entries whose key begins with `prefix`. */
  entries(prefix) {
    try {
      return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
    } catch {
      return [];
    }
  },
  remove(key) { try { localStorage.removeItem(key); } catch { /* nothing is stored */ } },
};

/** Shows a text for 7 seconds, or 3 if it is no error; screen readers announce it. */
export function toast(text, kind = 'error') {
  const box = $('toasts');
  const dismiss = () => note.remove();
  const note = h('div', { class: `toast ${kind}`, role: kind === 'error' ? 'alert' : 'status' },
    h('span', {}, text),
    h('button', { type: 'button', class: 'icon-button', 'aria-label': t.dismiss, onclick: dismiss }, icon('close')));
  box.append(note);
  while (box.childElementCount > 3) box.firstElementChild.remove();
  setTimeout(dismiss, kind === 'error' ? 7000 : 3000);
}

/** Asks in a modal dialog; resolves to true only when the person agrees. */
export function confirm(title, text, ok) {
  const dialog = $('confirm');
  $('confirm-title').textContent = title;
  $('confirm-text').textContent = text;
  $('confirm-ok').textContent = ok;
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
  });
}
