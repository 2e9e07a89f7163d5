// The image viewer: the images of the log, one at a time, in a modal dialog.
import { $ } from './dom.js';
import { t } from './language.js';

const PICTURES = '.thread:not([hidden]) a.picture:not(.loading)';

let current = null; // the link of the image that is shown

/** Opens the viewer for clicks on images in `log`. */
export function watchImages(log) {
  log.addEventListener('click', (event) => {
    const link = event.target.closest('a.picture');
    // With a key, the browser opens the image in another tab.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link);
    $('viewer').showModal();
  });
  $('viewer-previous').addEventListener('click', () => step(-1));
  $('viewer-next').addEventListener('click', () => step(1));
  $('viewer-close').addEventListener('click', () => $('viewer').close());
  $('viewer').addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  $('viewer').addEventListener('click', (event) => {
    if (event.target.matches('#viewer, #viewer figure')) $('viewer').close();
  });
  $('viewer').addEventListener('close', () => {
    current?.focus();
    current = null;
    $('viewer-image').removeAttribute('src');
  });
}

const pictures = () => [...$('messages').querySelectorAll(PICTURES)];

function step(by) {
  const all = pictures();
  const at = all.indexOf(current);
  show(all[Math.max(0, Math.min(all.length - 1, at + by))] ?? current);
}

function show(link) {
  current = link;
  const all = pictures();
  const at = all.indexOf(link);
  const { alt } = link.querySelector('img');
  const image = $('viewer-image');
  image.src = link.href;
  image.alt = alt;
  $('viewer-name').textContent = alt;
  $('viewer-count').textContent = at >= 0 && all.length > 1 ? t.imageOf(at + 1, all.length) : '';
  $('viewer-original').href = link.href;
  // Not disabled: the focus would be lost at the last image.
  $('viewer-previous').setAttribute('aria-disabled', String(at <= 0));
  $('viewer-next').setAttribute('aria-disabled', String(at >= all.length - 1));
}
