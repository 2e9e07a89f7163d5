// The language of the page: that of the browser, unless the user has chosen one. `t` has its texts.
import { english } from './english.js';
import { french } from './french.js';

const KEY = 'palabre.language';
const TEXTS = { en: english, fr: french };

/** The languages that can be chosen, each by its own name. */
export const LANGUAGES = { en: 'English', fr: 'Français' };

function chosenLanguage() {
  try {
    const code = localStorage.getItem(KEY);
    return code in TEXTS ? code : null;
  } catch {
    return null; // storage is blocked
  }
}

function preferredLanguage() {
  const codes = (navigator.languages ?? [navigator.language]).map((tag) => tag.toLowerCase().split('-')[0]);
  return codes.find((code) => code in TEXTS) ?? 'en';
}

const chosen = chosenLanguage();
/** The code of the language of the page, and the one that the user has chosen, or null. */
export const language = { code: chosen ?? preferredLanguage(), chosen };
export const t = TEXTS[language.code];

/** Chooses a language and loads the page anew: many texts are built only once. */
export function chooseLanguage(code) {
  try { localStorage.setItem(KEY, code); } catch { /* only until the next visit */ }
  location.reload();
}

/** Translates the texts of the document, which are English. */
export function translatePage() {
  document.documentElement.lang = language.code;
  const page = t.page;
  if (!page) return;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data } = texts.currentNode;
    const known = page[data.trim()];
    if (known) texts.currentNode.data = data.replace(data.trim(), () => known);
  }
  for (const name of ['aria-label', 'title', 'placeholder']) {
    for (const el of document.body.querySelectorAll(`[${name}]`)) {
      const known = page[el.getAttribute(name)];
      if (known) el.setAttribute(name, known);
    }
  }
}
