// Files attached to a message: images are shown, everything else is a download link.
import { h, icon } from './dom.js';

// Image types that browsers show without executing anything. SVG is excluded on purpose: it is a document.
const PICTURES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };
/** Larger images are not loaded automatically; in bytes. */
const IMAGE_BYTES_MAX = 8 * 1024 * 1024;
const still = matchMedia('(prefers-reduced-motion: reduce)');

export function attachment({ name, url, content_type: type, size }) {
  const shown = String(name || 'file');
  const href = fileUrl(url);
  if (!href) return h('p', { class: 'file' }, fileParts(shown, 'not available'));
  const bytes = Number.isFinite(size) && size >= 0 ? size : null;
  const link = fileLink(shown, href, bytes);
  if (!isPicture(type, shown, href) || (bytes ?? 0) > IMAGE_BYTES_MAX) return link;
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

function isPicture(type, name, href) {
  const ending = (text) => PICTURES[/\.([a-z]+)$/i.exec(text)?.[1].toLowerCase()];
  const found = type ? String(type).split(';')[0].trim().toLowerCase() : ending(name) ?? ending(new URL(href).pathname);
  if (!Object.values(PICTURES).includes(found)) return false;
  // A GIF cannot be paused, so with reduced motion it stays a link.
  return !(found === 'image/gif' && still.matches);
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
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  // 999.6 would be rounded to 1000.
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
