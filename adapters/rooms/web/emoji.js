// The emoji and their names. The list is large, so it is fetched when it is first needed.
import { store } from './dom.js';

const RECENT_KEY = 'palabre.emoji';
const RECENT_MAX = 24;

let loading = null;
let categories = []; // { name, emoji: [{ emoji, names, words }] }
const byName = new Map();

/** Fetches the list; resolves to the categories. */
export function load() {
  loading ??= import('./vendor/emoji.js').then(({ EMOJI }) => {
    categories = EMOJI.map(([name, text]) => ({ name, emoji: text.split('|').map(parse) }));
    for (const each of all()) for (const name of each.names) byName.set(name, each);
    return categories;
  }, (error) => {
    loading = null; // allows another attempt
    throw error;
  });
  return loading;
}

function parse(entry) {
  const [emoji, names, ...words] = entry.split(' ');
  return { emoji, names: names.split('/'), words };
}

export const isLoaded = () => byName.size > 0;

const all = () => categories.flatMap((category) => category.emoji);

/** Returns the emoji of a name without colons, if the list is loaded and has it. */
export const named = (name) => byName.get(name)?.emoji ?? null;

/** Returns the name to show for an emoji. */
export function nameOf(emoji) {
  return all().find((each) => each.emoji === emoji)?.names[0].replaceAll('_', ' ') ?? emoji;
}

/** Returns emoji that have a name or word with the query in it: first the exact name, then those that begin with it. */
export function search(query, limit = Infinity) {
  const wanted = query.trim().toLowerCase().replaceAll(' ', '_');
  const rank = ({ names, words }) => {
    if (names.includes(wanted)) return -1;
    if (names.some((name) => name.startsWith(wanted))) return 0;
    if (words.some((word) => word.startsWith(wanted))) return 1;
    return names.some((name) => name.includes(wanted)) ? 2 : 3;
  };
  const ranked = all().map((each) => [rank(each), each]).filter(([place]) => place < 3);
  return ranked.sort(([a], [b]) => a - b).slice(0, limit).map(([, each]) => each);
}

export function recent() {
  return (store.get(RECENT_KEY) ?? '').split(' ').filter(Boolean);
}

export function used(emoji) {
  store.set(RECENT_KEY, [emoji, ...recent().filter((other) => other !== emoji)].slice(0, RECENT_MAX).join(' '));
}
