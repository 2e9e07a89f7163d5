// Files attached to a message: images are shown, sound and video are played, everything else is a download link.
import { h, icon } from './dom.js';
import { t } from './language.js';

// Image types that browsers show without executing anything. SVG is excluded on purpose: it is a document.
const PICTURES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };
// Types that a player is shown for, if the browser can play them.
const PLAYERS = {
  mp3: 'audio/mpeg', ogg: 'audio/ogg', wav: 'audio/wav', mp4: 'video/mp4', webm: 'video/webm',
};
/** Larger images are not loaded automatically; in bytes. */
const IMAGE_BYTES_MAX = 8 * 1024 * 1024;
const still = matchMedia('(prefers-reduced-motion: reduce)');

export function attachment({ name, url, content_type: type, size }) {
  const shown = String(name || 'file');
  const href = fileUrl(url);
  if (!href) return h('p', { class: 'file' }, fileParts(shown, t.notAvailable));
  const bytes = Number.isFinite(size) && size >= 0 ? size : null;
  const link = fileLink(shown, href, bytes);
  const kind = typeOf(type, shown, href);
  if (canPlay(kind, href)) return player(kind, href, shown, link);
  if (!isPicture(kind) || (bytes ?? 0) > IMAGE_BYTES_MAX) return link;
  const image = h('img', {
    src: href, alt: shown, title: shown, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer',
  });
  const picture = h('a', { class: 'picture loading', href, target: '_blank', rel: 'noopener noreferrer' }, image);
  image.addEventListener('load', () => picture.classList.remove('loading'));
  image.addEventListener('error', () => picture.replaceWith(link));
  return picture;
}

/**
 * Returns an http or https address, or the blob of a file being sent; otherwise null.
 * Relative addresses are of this site.
 */
function fileUrl(address) {
  try {
    const url = new URL(String(address ?? ''), location.origin);
    return address && /^(?:https?|blob):$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Returns the media type, by the ending of the name if none is given. */
function typeOf(type, name, href) {
  const types = { ...PICTURES, ...PLAYERS };
  const ending = (text) => types[/\.([a-z0-9]+)$/i.exec(text)?.[1].toLowerCase()];
  return type ? String(type).split(';')[0].trim().toLowerCase() : ending(name) ?? ending(new URL(href).pathname);
}

function isPicture(type) {
  // A GIF cannot be paused, so with reduced motion it stays a link.
  return Object.values(PICTURES).includes(type) && !(type === 'image/gif' && still.matches);
}

/** The policy of the page allows only media of this site. */
function canPlay(type, href) {
  if (!Object.values(PLAYERS).includes(type) || !href.startsWith(`${location.origin}/`)) return false;
  return document.createElement(type.split('/')[0]).canPlayType(type) !== '';
}

/** Builds a player above the link to its file, which remains if it cannot be played. */
function player(type, href, name, link) {
  const tag = type.split('/')[0];
  const media = h(tag, { src: href, controls: true, preload: 'metadata', playsinline: true, 'aria-label': name });
  media.addEventListener('error', () => media.remove());
  return h('div', { class: `player ${tag}` }, media, link);
}

function fileLink(name, href, bytes) {
  const own = new URL(href).origin === location.origin;
  // Browsers honour `download` only for the same origin; other files open in a new tab.
  const opening = own ? { download: name } : { target: '_blank' };
  return h('a', { class: 'file', href, rel: 'noopener noreferrer nofollow', ...opening },
    fileParts(name, bytes !== null && sizeOf(bytes)));
}

/** Builds the icon, the name and a note about the size of a file, if there is one. */
function fileParts(name, note) {
  return [icon('file'), h('bdi', { class: 'file-name' }, name), note && h('span', { class: 'file-size' }, note)];
}

export function sizeOf(bytes) {
  const { units } = t;
  let [value, unit] = [bytes, 0];
  // 999.6 would be rounded to 1000.
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  const digits = unit && value < 9.95 ? 1 : 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return `${value.toLocaleString(t.locale, options)} ${units[unit]}`;
}
