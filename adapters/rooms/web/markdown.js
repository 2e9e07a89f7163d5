// A safe subset of Markdown as blocks of DOM nodes: paragraphs, quotes, lists, tables and code. See inline.js for the
// text inside. User input is never parsed as HTML.
import { highlight } from './code.js';
import { h } from './dom.js';
import { MAX_DEPTH, inline } from './inline.js';
import { table, tableAt } from './table.js';

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,}) *([\w+#-]*)/;
const ITEM = /^ ?[-*+] +(?=\S)/;

/** Renders text to a fragment of paragraphs, quotes, lists and code blocks. */
export function render(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(String(text ?? '').replace(/\r\n?/g, '\n').split('\n'), 0));
  return fragment;
}

function blocks(lines, depth) {
  const out = [];
  let paragraph = [];
  const flush = () => {
    const text = paragraph.join('\n').trim();
    if (text) out.push(h('p', {}, inline(text)));
    paragraph = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const fence = FENCE.exec(line);
    const nested = depth < MAX_DEPTH;
    const rows = tableAt(lines, i);
    if (fence) {
      flush();
      const code = codeAt(lines, i, fence[1]);
      out.push(h('pre', { tabindex: '0' }, h('code', {}, highlight(code.join('\n'), fence[2]))));
      i += code.length + 1;
    } else if (rows) {
      flush();
      out.push(table(lines.slice(i, i + rows)));
      i += rows - 1;
    } else if (nested && /^ {0,3}>/.test(line)) {
      flush();
      const inner = [];
      for (; i < lines.length && /^ {0,3}>/.test(lines[i]); i++) inner.push(lines[i].replace(/^ {0,3}> ?/, ''));
      i--;
      out.push(h('blockquote', {}, blocks(inner, depth + 1)));
    } else if (nested && ITEM.test(line)) {
      flush();
      const items = [];
      for (; i < lines.length; i++) {
        if (ITEM.test(lines[i])) items.push([lines[i].replace(ITEM, '')]);
        else if (/^ {2,}\S/.test(lines[i])) items.at(-1).push(lines[i].replace(/^ {2}/, ''));
        else break;
      }
      i--;
      out.push(h('ul', {}, items.map((item) => h('li', {}, tight(blocks(item, depth + 1))))));
    } else if (line.trim() === '') {
      flush();
    } else {
      paragraph.push(line);
    }
  }
  flush();
  return out;
}

/** Returns the lines of a code block whose opening line is at `at`. */
function codeAt(lines, at, opening) {
  const isEnd = (line) => line.length >= opening.length && line === opening[0].repeat(line.length);
  const end = lines.findIndex((line, index) => index > at && isEnd(line.trim()));
  return lines.slice(at + 1, end < 0 ? lines.length : end);
}

/** Unwraps the first paragraph of a list item, so that it has no margins. */
function tight(nodes) {
  const [first, ...rest] = nodes;
  return first?.tagName === 'P' ? [...first.childNodes, ...rest] : nodes;
}
