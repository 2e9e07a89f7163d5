// A menu in a popover, and the requests to open one: the context key, the right button, a long press.
import { $, h, icon } from './dom.js';

const LONG_PRESS_MS = 500;
const MOVE_PX = 10;
const MARGIN_PX = 8;

/**
 * Opens the menu at a place, { x, y }. An item is { icon, label, danger, run }; without a choice, the focus returns to
 * `from`.
 */
export function openMenu(items, place, from) {
  const menu = $('menu');
  const buttons = items.map((item) => h('button', {
    type: 'button', role: 'menuitem', tabindex: '-1', class: item.danger ? 'menu-item danger' : 'menu-item',
    onclick: () => {
      close();
      item.run();
    },
  }, icon(item.icon), h('span', {}, item.label)));
  menu.replaceChildren(...buttons);
  menu.onkeydown = (event) => onKey(event, buttons, from);
  menu.showPopover();
  menu.style.left = `${Math.max(MARGIN_PX, Math.min(place.x, innerWidth - menu.offsetWidth - MARGIN_PX))}px`;
  menu.style.top = `${Math.max(MARGIN_PX, Math.min(place.y, innerHeight - menu.offsetHeight - MARGIN_PX))}px`;
  buttons[0]?.focus();
}

function close() {
  if ($('menu').matches(':popover-open')) $('menu').hidePopover();
}

// The browser would also close it when the finger of the long press that opened it is lifted.
addEventListener('pointerdown', ({ target }) => { if (!$('menu').contains(target)) close(); }, { capture: true });
$('menu').addEventListener('focusout', ({ relatedTarget }) => {
  if (relatedTarget && !$('menu').contains(relatedTarget)) close();
});

function onKey(event, buttons, from) {
  const at = buttons.indexOf(document.activeElement);
  const last = buttons.length - 1;
  const to = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last }[event.key];
  if (to !== undefined) buttons[to].focus();
  else if (event.key === 'Escape' || event.key === 'Tab') {
    close();
    from.focus({ preventScroll: true });
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Calls `open(element, place)` when the user asks for the menu of an element that matches `selector`. */
export function onMenuRequest(box, selector, open) {
  box.addEventListener('contextmenu', (event) => {
    const el = event.target.closest(selector);
    if (!el || event.shiftKey || wantsNativeMenu(event)) return;
    event.preventDefault();
    if (event.pointerType === 'touch') ignoreLift();
    // The context key has no place.
    const rect = el.getBoundingClientRect();
    const place = event.button === 2 || event.pointerType === 'touch' ? { x: event.clientX, y: event.clientY }
      : { x: rect.left + 60, y: Math.max(rect.top, 0) + 30 };
    open(el, place);
  });
  onLongPress(box, (target, place) => {
    const el = target.closest(selector);
    if (el) open(el, place);
  });
}

/** Whether the menu of the browser is more useful: for a link, an image, a player or selected text. */
function wantsNativeMenu({ target, pointerType }) {
  if (pointerType === 'touch') return false;
  return Boolean(target.closest('a, img, audio, video, input, textarea')) || String(getSelection()) !== '';
}

/** Ignores that the finger is lifted: the click and the change of focus that follow would close the menu. */
function ignoreLift() {
  const ignore = (event) => event.preventDefault();
  addEventListener('touchend', ignore, { capture: true, once: true, passive: false });
  addEventListener('pointerdown', () => removeEventListener('touchend', ignore, { capture: true }), {
    capture: true, once: true,
  });
}

/** Not all browsers have an event for a long press. */
function onLongPress(box, pressed) {
  let timer = null;
  let from = null;
  const stop = () => clearTimeout(timer);
  box.addEventListener('pointerdown', (event) => {
    stop();
    if (event.pointerType !== 'touch' || event.target.closest('button, input, audio, video')) return;
    from = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      ignoreLift();
      pressed(event.target, from);
    }, LONG_PRESS_MS);
  });
  box.addEventListener('pointermove', (event) => {
    if (from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > MOVE_PX) stop();
  });
  for (const end of ['pointerup', 'pointercancel', 'scroll']) box.addEventListener(end, stop, { passive: true });
}
