// Tables of GitHub's Markdown: a row of headings, a row of dashes with the alignment, and rows of cells.
import { h } from './dom.js';
import { inline } from './inline.js';

const DASHES = /^:?-+:?$/;
const COLUMNS_MAX = 32;

/** Returns the number of lines of the table that begins at `at`, or 0 if there is none. */
export function tableAt(lines, at) {
  const dashes = lines[at + 1];
  if (!lines[at].includes('|') || !dashes?.includes('|')) return 0;
  const columns = cells(lines[at]).length;
  const aligns = cells(dashes);
  if (columns > COLUMNS_MAX || aligns.length !== columns || !aligns.every((cell) => DASHES.test(cell))) return 0;
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|') && lines[end].trim()) end++;
  return end - at;
}

export function table([headings, dashes, ...rows]) {
  const aligns = cells(dashes).map((cell) => {
    if (cell.endsWith(':')) return cell.startsWith(':') ? 'center' : 'end';
    return 'start';
  });
  const row = (line, tag) => {
    const texts = cells(line);
    const scope = tag === 'th' ? 'col' : null;
    return h('tr', {}, aligns.map((align, i) => h(tag, { class: `align-${align}`, scope }, inline(texts[i] ?? ''))));
  };
  return h('div', { class: 'table', tabindex: '0' }, h('table', {},
    h('thead', {}, row(headings, 'th')), h('tbody', {}, rows.map((line) => row(line, 'td')))));
}

/** Splits a row at its bars; a bar after a backslash is text. */
function cells(line) {
  const inner = line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}
