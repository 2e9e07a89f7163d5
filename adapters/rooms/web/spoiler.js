// Text that is hidden until the reader wants to see it.
import { h } from './dom.js';
import { t } from './language.js';

/** Hides nodes behind a button. */
export function spoiler(nodes) {
  // Inert: links in it cannot be reached, and screen readers do not read it.
  const content = h('span', { class: 'spoiler-content', inert: true }, nodes);
  const box = h('span', {
    class: 'spoiler', role: 'button', tabindex: '0', 'aria-label': t.spoiler, title: t.spoiler,
  }, content);
  const reveal = (event) => {
    if (event.type === 'keydown' && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    box.removeEventListener('click', reveal);
    box.removeEventListener('keydown', reveal);
    for (const name of ['role', 'aria-label', 'title']) box.removeAttribute(name);
    box.tabIndex = -1; // keeps the focus
    box.classList.add('revealed');
    content.inert = false;
  };
  box.addEventListener('click', reveal);
  box.addEventListener('keydown', reveal);
  return box;
}
