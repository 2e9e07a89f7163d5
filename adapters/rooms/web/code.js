// Highlighting of code: comments, strings, numbers and keywords, which are similar in many languages.
import { h } from './dom.js';

/** Longer code is shown without colours. */
const LENGTH_MAX = 20000;
const STRINGS = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const NUMBER = String.raw`\b(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w*`;
const SLASHES = String.raw`\/\/[^\n]*|\/\*[^]*?(?:\*\/|(?![^]))`;

const C_WORDS = 'break case catch class const continue default do else enum export extends false finally for function '
  + 'if import in instanceof interface let new null private protected public return static struct super '
  + 'switch this throw true try type typeof undefined var void while async await yield';
const FAMILIES = [
  ['js javascript mjs ts typescript jsx tsx java c h cpp c++ cs c# kotlin kt swift php dart', {
    comment: SLASHES, string: `${STRINGS}|\`(?:\\\\.|[^\`\\\\])*\`?`, words: C_WORDS,
  }],
  ['rust rs', {
    comment: SLASHES, string: String.raw`"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\\n])'`,
    words: 'as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod '
      + 'move mut pub ref return self Self static struct super trait true type unsafe use where while',
  }],
  ['go golang', {
    comment: SLASHES, string: `${STRINGS}|\`[^\`]*\`?`,
    words: 'break case chan const continue default defer else fallthrough false for func go if import interface map '
      + 'nil package range return select struct switch true type var',
  }],
  ['py python', {
    comment: '#[^\\n]*', string: `"""[^]*?(?:"""|(?![^]))|'''[^]*?(?:'''|(?![^]))|${STRINGS}`,
    words: 'and as assert async await break class continue def del elif else except False finally for from global if '
      + 'import in is lambda None nonlocal not or pass raise return True try while with yield',
  }],
  ['lua luau', {
    comment: String.raw`--\[\[[^]*?(?:\]\]|(?![^]))|--[^\n]*`,
    string: `\\[\\[[^]*?(?:\\]\\]|(?![^]))|${STRINGS}|\`[^\`]*\`?`,
    words: 'and break continue do else elseif end export false for function goto if in local nil not or repeat return '
      + 'then true type until while',
  }],
  ['sh bash zsh shell console rb ruby', {
    comment: '(?:^|(?<=\\s))#[^\\n]*', string: STRINGS,
    words: 'begin case class def do done elif else elsif end esac exit export false fi for function if in local module '
      + 'nil require return self then true unless until while',
  }],
  ['yaml yml toml ini', { comment: '(?:^|(?<=\\s))[#;][^\\n]*', string: STRINGS, words: 'true false null yes no' }],
  ['sql', {
    comment: String.raw`--[^\n]*|\/\*[^]*?(?:\*\/|(?![^]))`, string: STRINGS, ignoreCase: true,
    words: 'all alter and as asc between by case create delete desc distinct drop else end exists from group having in '
      + 'index inner insert into is join key left like limit not null on or order outer primary references right '
      + 'select set table then union unique update values when where with',
  }],
  ['json jsonc', { comment: SLASHES, string: STRINGS, words: 'true false null' }],
  ['css scss', { comment: SLASHES, string: STRINGS, words: 'important media import supports keyframes layer' }],
  ['html xml svg', { comment: '<!--[^]*?(?:-->|(?![^]))', string: STRINGS, words: '' }],
];

const patterns = new Map(); // language → pattern, made when it is first needed

/** Returns the nodes of code in a language; an unknown one has no colours. */
export function highlight(code, language) {
  const pattern = code.length > LENGTH_MAX ? null : patternOf(language.toLowerCase());
  if (!pattern) return [code];
  const nodes = [];
  let at = 0;
  for (const match of code.matchAll(pattern)) {
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    nodes.push(code.slice(at, match.index), h('span', { class: `code-${kind}` }, match[0]));
    at = match.index + match[0].length;
  }
  nodes.push(code.slice(at));
  return nodes;
}

function patternOf(language) {
  if (patterns.has(language)) return patterns.get(language);
  const family = FAMILIES.find(([names]) => names.split(' ').includes(language))?.[1];
  const pattern = family && build(family);
  patterns.set(language, pattern);
  return pattern;
}

function build({ comment, string, words, ignoreCase }) {
  const keywords = words ? `|(?<keyword>(?<![\\w.])(?:${words.replaceAll(' ', '|')})(?!\\w))` : '';
  const source = `(?<comment>${comment})|(?<string>${string})|(?<number>${NUMBER})${keywords}`;
  return new RegExp(source, ignoreCase ? 'gim' : 'gm');
}
