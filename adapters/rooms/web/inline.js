// Inline text: a scan produces finished nodes, plain text and runs of * _ ~ |; then the delimiter algorithm of
// CommonMark pairs the runs. User input is never parsed as HTML: everything that is not recognised here becomes a text
// node.
import { h } from './dom.js';
import { spoiler } from './spoiler.js';

/** The maximum depth of nested text. */
export const MAX_DEPTH = 12;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const SPACE = /\s/;
// The address of a link may contain parentheses in pairs.
const ADDRESS = /https?:\/\/[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*/;
const LINK = new RegExp(String.raw`^\[([^[\]\n]{1,500})\]\(\s*<?(${ADDRESS.source})>?\s*\)`, 'i');

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

/** Returns the nodes of a text without blocks. */
export function inline(text, inLink = false) {
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
    } else if (c === '*' || c === '_' || c === '~' || c === '|') {
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
  if (text[at] === '|') {
    return { opens: length === 2 && !SPACE.test(after), closes: length === 2 && !SPACE.test(before) };
  }
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
      opener.length -= use;
      closer.length -= use;
      tokens.splice(o + 1, c - o - 1, { node: wrap(closer.delimiter, use, inner.map(toNode)), depth });
      c = o + 2;
      if (opener.length === 0) {
        tokens.splice(o, 1);
        c--;
      }
    }
  }
  return tokens.map(toNode);
}

/** Returns the element for text between two runs of `length` delimiters. */
function wrap(delimiter, length, nodes) {
  if (delimiter === '|') return spoiler(nodes);
  return h(delimiter === '~' ? 'del' : length === 2 ? 'strong' : 'em', {}, nodes);
}

function matches(token, closer) {
  if (token.delimiter !== closer.delimiter || !token.opens || token.length === 0) return false;
  const both = token.closes || closer.opens;
  return !both || (token.length + closer.length) % 3 !== 0 || (token.length % 3 === 0 && closer.length % 3 === 0);
}

const toNode = (token) => token.node ?? document.createTextNode(token.delimiter.repeat(token.length));
