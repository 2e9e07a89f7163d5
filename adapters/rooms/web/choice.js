// A select list under a message. A native <select> would choose at each arrow key and cannot show descriptions.
// So a button opens a panel: a listbox in which a choice is sent immediately, or checkboxes with a send button.
import { h, icon, whileAsking } from './dom.js';
import { t } from './language.js';

let count = 0;

/** Builds a select list. `send(values)` resolves to whether the choice was accepted. */
export function choice({ placeholder, min, max, options }, send) {
  const title = String(placeholder || t.choose);
  const id = `choice-${++count}`;
  const chosen = h('span', { class: 'choice-value' }, title);
  const opener = h('button', {
    type: 'button', class: 'choice-opener', 'aria-expanded': 'false', 'aria-controls': id,
  }, chosen, icon('down'));
  // The panel is inside the live log and must not be announced.
  const panel = h('div', { class: 'choice-panel', id, hidden: true, 'aria-live': 'off' });

  const show = (open) => {
    panel.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
  };
  const take = (picked) => whileAsking(opener, async () => {
    if (!await send(picked.map((option) => String(option.value)))) return;
    const labels = picked.map((option) => String(option.label)).join(', ');
    chosen.replaceChildren(...(labels ? [h('span', { class: 'visually-hidden' }, `${title}: `), labels] : [title]));
    list.taken(picked);
    // Return the focus to the button only if it is still in the panel.
    const inside = panel.contains(document.activeElement);
    show(false);
    if (inside) opener.focus();
  });

  const upper = Math.min(Number(max ?? 1), options.length);
  const lower = Math.min(Number(min ?? 1), upper);
  const list = Number(max ?? 1) > 1 ? boxes(title, options, lower, upper, take) : listbox(title, options, take);
  panel.append(list.el);
  if (list.role) opener.setAttribute('aria-haspopup', list.role);
  opener.addEventListener('click', () => {
    show(panel.hidden);
    if (panel.hidden) return;
    list.focus();
    panel.scrollIntoView({ block: 'nearest' });
  });
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    show(false);
    opener.focus();
  });
  return h('div', { class: 'choice' }, opener, panel);
}

const words = ({ label, description }) => h('span', { class: 'option-words' },
  h('span', {}, String(label)), description && h('span', { class: 'option-more' }, String(description)));

function listbox(title, options, take) {
  const rows = options.map((option) => h('li', {
    role: 'option', tabindex: '-1', 'aria-selected': 'false', class: 'option', onclick: () => take([option]),
  }, words(option)));
  const go = (to) => rows[Math.max(0, Math.min(rows.length - 1, to))].focus();
  let typed = '';
  let silence = null;

  function onKey(event) {
    const at = rows.indexOf(document.activeElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) go(to);
    else if (event.key === 'Enter' || (event.key === ' ' && !typed)) rows[at].click();
    else if ([...event.key].length === 1) seek(event.key, at);
    else return;
    event.preventDefault();
  }

  /** Type-ahead: focuses the next option that begins with the typed letters. */
  function seek(key, at) {
    clearTimeout(silence);
    silence = setTimeout(() => { typed = ''; }, 700);
    typed += key.toLowerCase();
    const from = typed.length > 1 ? at : at + 1;
    for (let i = 0; i < rows.length; i++) {
      const to = (from + i) % rows.length;
      if (String(options[to].label).toLowerCase().startsWith(typed)) return go(to);
    }
  }

  return {
    role: 'listbox',
    el: h('ul', { role: 'listbox', 'aria-label': title, class: 'options', onkeydown: onKey }, rows),
    focus: () => {
      const selected = rows.find((row) => row.getAttribute('aria-selected') === 'true');
      (selected ?? rows[0]).focus({ preventScroll: true });
    },
    taken: ([option]) => rows.forEach((row, i) => row.setAttribute('aria-selected', String(options[i] === option))),
  };
}

function boxes(title, options, min, max, take) {
  const ticks = options.map(() => h('input', { type: 'checkbox' }));
  const picked = () => options.filter((_, i) => ticks[i].checked);
  const submit = h('button', { type: 'button', class: 'action primary', onclick: () => take(picked()) }, t.send);
  const refresh = () => {
    const now = picked().length;
    submit.disabled = now < min || now > max;
    for (const tick of ticks) tick.disabled = now >= max && !tick.checked;
  };
  const range = t.chooseRange(min, max);
  const el = h('fieldset', { onchange: refresh },
    h('legend', { class: 'visually-hidden' }, `${title} (${range})`),
    h('div', { class: 'options' },
      options.map((option, i) => h('label', { class: 'option' }, ticks[i], words(option)))),
    h('div', { class: 'choice-foot' }, h('span', { 'aria-hidden': 'true' }, range), submit));
  refresh();
  return {
    el,
    focus: () => (ticks.find((tick) => !tick.disabled) ?? submit).focus({ preventScroll: true }),
    taken: () => {},
  };
}
