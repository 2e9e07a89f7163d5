// A safe subset of CommonMark, built as DOM nodes. User input is never parsed as HTML: everything that is
// not recognised here becomes a text node.
import { h } from './dom.js';

const MAX_DEPTH = 12;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const SPACE = /\s/;
// The address of a link may contain parentheses in pairs.
const ADDRESS = /https?:\/\/[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*/;
const LINK = new RegExp(String.raw`^\[([^[\]\n]{1,500})\]\(\s*<?(${ADDRESS.source})>?\s*\)`, 'i');

/** Renders text to a fragment of paragraphs, quotes, lists and code blocks. */
export function render(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(String(text ?? '').replace(/\r\n?/g, '\n').split('\n'), 0));
  return fragment;
}

/** Returns the absolute address if it is http or https, otherwise null. */
export function safeUrl(address) {
  if (!/^https?:\/\//i.test(address)) return null;
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}

export function link(href, children) {
  return h('a', { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' }, children);
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
    const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line);
    const nested = depth < MAX_DEPTH;
    if (fence) {
      flush();
      const opening = fence[1];
      const code = [];
      while (++i < lines.length) {
        const end = lines[i].trim();
        if (end.length >= opening.length && end === opening[0].repeat(end.length)) break;
        code.push(lines[i]);
      }
      out.push(h('pre', { tabindex: '0' }, h('code', {}, code.join('\n'))));
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

const ITEM = /^ ?[-*+] +(?=\S)/;

/** Unwraps the first paragraph of a list item, so that it has no margins. */
function tight(nodes) {
  const [first, ...rest] = nodes;
  return first?.tagName === 'P' ? [...first.childNodes, ...rest] : nodes;
}

// Inline text: a scan produces finished nodes, plain text and runs of * _ ~; then the delimiter algorithm
// of CommonMark pairs the runs.
function inline(text, inLink = false) {
  const tokens = [];
  let plain = '';
  const push = (token) => {
    if (plain) tokens.push({ node: document.createTextNode(plain), depth: 0 });
    plain = '';
    if (token) tokens.push(token);
  };
  const node = (el) => push({ node: el, depth: 1 });
  const noCode = new Set();

  for (let i = 0; i < text.length;) {
    const c = text[i];
    if (c === '\\' && /[!-/:-@[-`{-~]/.test(text[i + 1] ?? '')) {
      plain += text[i + 1];
      i += 2;
    } else if (c === '\\' && text[i + 1] === '\n') {
      i++;
    } else if (c === '\n') {
      plain = plain.trimEnd();
      node(h('br'));
      i++;
    } else if (c === '`') {
      const length = run(text, i);
      const end = noCode.has(length) ? -1 : closingTicks(text, i + length, length);
      if (end < 0) {
        noCode.add(length);
        plain += text.slice(i, i + length);
        i += length;
      } else {
        const code = text.slice(i + length, end).replace(/\n/g, ' ');
        node(h('code', {}, /^ .*\S.* $/.test(code) ? code.slice(1, -1) : code));
        i = end + length;
      }
    } else if (c === '[' && !inLink && linkAt(text, i)) {
      const found = linkAt(text, i);
      node(link(found.href, inline(found.label, true)));
      i = found.end;
    } else if ((c === 'h' || c === 'H' || c === '<') && !inLink && bareUrl(text, i)) {
      const found = bareUrl(text, i);
      node(link(found.href, [found.shown]));
      i = found.end;
    } else if (c === '*' || c === '_' || c === '~') {
      const length = run(text, i);
      push({ delimiter: c, length, ...flanking(text, i, length) });
      i += length;
    } else {
      plain += c;
      i++;
    }
  }
  push(null);
  return pair(tokens);
}

function run(text, at) {
  let end = at;
  while (text[end] === text[at]) end++;
  return end - at;
}

function closingTicks(text, from, length) {
  for (let i = text.indexOf('`', from); i >= 0; i = text.indexOf('`', i)) {
    const found = run(text, i);
    if (found === length) return i;
    i += found;
  }
  return -1;
}

function linkAt(text, at) {
  const match = LINK.exec(text.slice(at, at + 3000));
  const href = match && safeUrl(match[2]);
  return href ? { href, label: match[1], end: at + match[0].length } : null;
}

function bareUrl(text, at) {
  const angle = text[at] === '<';
  if (!angle && /[\p{L}\p{N}_]/u.test(text[at - 1] ?? ' ')) return null;
  const match = /^https?:\/\/[^\s<>"`]+/i.exec(text.slice(angle ? at + 1 : at, at + 2048));
  if (!match) return null;
  let shown = match[0];
  if (angle) {
    if (text[at + 1 + shown.length] !== '>') return null;
  } else {
    for (;;) {
      const last = shown.at(-1);
      const unbalanced = last === ')' && shown.split(')').length > shown.split('(').length;
      if (!unbalanced && !/[.,:;!?'*_~\]]/.test(last)) break;
      shown = shown.slice(0, -1);
    }
  }
  const href = safeUrl(shown);
  return href ? { href, shown, end: at + shown.length + (angle ? 2 : 0) } : null;
}

function flanking(text, at, length) {
  const before = text[at - 1] ?? ' ';
  const after = text[at + length] ?? ' ';
  const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
  const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
  if (text[at] === '~') return { opens: left && length === 2, closes: right && length === 2 };
  if (text[at] === '*') return { opens: left, closes: right };
  return {
    opens: left && (!right || PUNCTUATION.test(before)),
    closes: right && (!left || PUNCTUATION.test(after)),
  };
}

function pair(tokens) {
  for (let c = 0; c < tokens.length; c++) {
    const closer = tokens[c];
    while (closer.closes && closer.length > 0) {
      let o = c - 1;
      const floor = Math.max(0, c - 1000);
      while (o >= floor && !matches(tokens[o], closer)) o--;
      if (o < floor) break;
      const opener = tokens[o];
      const use = opener.length >= 2 && closer.length >= 2 ? 2 : 1;
      const inner = tokens.slice(o + 1, c);
      const depth = 1 + Math.max(0, ...inner.map((token) => token.depth ?? 0));
      if (depth > MAX_DEPTH) break;
      const tag = closer.delimiter === '~' ? 'del' : use === 2 ? 'strong' : 'em';
      opener.length -= use;
      closer.length -= use;
      tokens.splice(o + 1, c - o - 1, { node: h(tag, {}, inner.map(toNode)), depth });
      c = o + 2;
      if (opener.length === 0) {
        tokens.splice(o, 1);
        c--;
      }
    }
  }
  return tokens.map(toNode);
}

function matches(token, closer) {
  if (token.delimiter !== closer.delimiter || !token.opens || token.length === 0) return false;
  const both = token.closes || closer.opens;
  return !both || (token.length + closer.length) % 3 !== 0 || (token.length % 3 === 0 && closer.length % 3 === 0);
}

const toNode = (token) => token.node ?? document.createTextNode(token.delimiter.repeat(token.length));
