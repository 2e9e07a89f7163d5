// The emoji palette: categories, a search field and the recently used emoji, in a popover next to a button.
import { $, h, toast } from './dom.js';
import { load, nameOf, recent, search, used } from './emoji.js';
import { t } from './language.js';

const COLUMNS = 8;
const MARGIN_PX = 8;

let pick = null; // receives the chosen emoji
let anchor = null;
const panel = () => $('palette');
const cells = () => [...$('palette-grid').querySelectorAll('button')].filter((cell) => cell.offsetParent);

/** Opens the palette next to `button`; `chosen(emoji)` is called if the user picks one. */
export async function openPalette(button, chosen) {
  let categories;
  try {
    categories = await load();
  } catch {
    return toast(t.notLoaded);
  }
  [pick, anchor] = [chosen, button];
  if (!$('palette-tabs').childElementCount) build(categories);
  renderRecent();
  $('palette-search').value = '';
  find('');
  panel().showPopover();
  place();
  // On a touch screen, focusing the field would open the keyboard over the emoji.
  (matchMedia('(pointer: fine)').matches ? $('palette-search') : $('palette-tabs').firstElementChild).focus();
}

/** Puts the panel above or below its button, within the window. */
function place() {
  const { top, bottom, right } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel();
  const above = top - height - MARGIN_PX;
  const below = Math.min(bottom + MARGIN_PX, innerHeight - height - MARGIN_PX);
  panel().style.top = `${Math.max(MARGIN_PX, above >= MARGIN_PX ? above : below)}px`;
  panel().style.left = `${Math.max(MARGIN_PX, Math.min(right - width, innerWidth - width - MARGIN_PX))}px`;
}

function build(categories) {
  const sections = [section('results', []), section('recent', []),
    ...categories.map(({ name, emoji }) => section(name, emoji.map((each) => cell(each.emoji, each.names[0]))))];
  $('palette-grid').replaceChildren(...sections);
  $('palette-tabs').replaceChildren(...categories.map(({ name, emoji }) => h('button', {
    type: 'button', class: 'palette-tab', 'aria-label': t.emojiCategories[name], title: t.emojiCategories[name],
    onclick: () => {
      $('palette-search').value = '';
      find('');
      $(`palette-${name}`).scrollIntoView({ block: 'start' });
      $(`palette-${name}`).querySelector('button').focus({ preventScroll: true });
    },
  }, emoji[0].emoji)));
  $('palette-search').addEventListener('input', () => find($('palette-search').value));
  $('palette-search').addEventListener('keydown', onSearchKey);
  $('palette-grid').addEventListener('keydown', onGridKey);
  $('palette-grid').addEventListener('click', (event) => choose(event.target.closest('button')));
  panel().addEventListener('toggle', ({ newState }) => { if (newState === 'closed') pick = null; });
}

function section(name, content) {
  return h('section', { id: `palette-${name}`, 'aria-label': t.emojiCategories[name] },
    h('h3', {}, t.emojiCategories[name]), h('div', { class: 'palette-cells' }, content));
}

function cell(emoji, name) {
  const label = name.replaceAll('_', ' ');
  return h('button', { type: 'button', tabindex: '-1', 'aria-label': label, title: label, dataset: { emoji } }, emoji);
}

function fill(name, content) {
  $(`palette-${name}`).hidden = content.length === 0;
  $(`palette-${name}`).lastElementChild.replaceChildren(...content);
}

function renderRecent() { fill('recent', recent().map((emoji) => cell(emoji, nameOf(emoji)))); }

function find(query) {
  const searching = query.trim() !== '';
  const found = searching ? search(query, 96).map((each) => cell(each.emoji, each.names[0])) : [];
  fill('results', found);
  for (const each of $('palette-grid').children) {
    if (each.id !== 'palette-results') each.hidden = searching || (each.id === 'palette-recent' && !recent().length);
  }
  $('palette-none').textContent = searching && !found.length ? t.noEmoji : '';
  $('palette-grid').scrollTop = 0;
}

function onSearchKey(event) {
  if (event.isComposing) return;
  if (event.key === 'Enter') {
    event.preventDefault();
    if ($('palette-search').value.trim()) choose(cells()[0]);
  } else if (event.key === 'ArrowDown') {
    event.preventDefault();
    cells()[0]?.focus();
  }
}

function onGridKey(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = cells();
  const to = all.indexOf(document.activeElement) + step;
  if (to < 0) $('palette-search').focus();
  else all[Math.min(to, all.length - 1)].focus();
}

function choose(button) {
  if (!button) return;
  const { emoji } = button.dataset;
  const chosen = pick;
  used(emoji);
  panel().hidePopover();
  chosen?.(emoji);
}
