// The controls of a message: buttons, links and one select list.
import { choice } from './choice.js';
import { h, icon, whileAsking } from './dom.js';
import { t } from './language.js';
import { safeUrl } from './inline.js';

/** `on`: press(action) and choose(action, values), which resolve to whether they succeeded. */
export function controls({ buttons, select }, on) {
  return [
    ...(buttons ?? []).map((each) => button(each, on)),
    ...(select?.options?.length ? [choice(select, (values) => on.choose(select.action, values))] : []),
  ];
}

function button({ label, action, style, url, disabled }, on) {
  const look = `action ${['primary', 'danger'].includes(style) ? style : ''}`;
  const href = url ? safeUrl(String(url)) : null;
  if (href && !disabled) {
    return h('a', { class: look, href, target: '_blank', rel: 'noopener noreferrer nofollow', title: href },
      String(label), icon('outside'), h('span', { class: 'visually-hidden' }, ` (${t.opensInNewTab})`));
  }
  // A button with an invalid address is disabled.
  const el = h('button', { type: 'button', class: look, disabled: Boolean(disabled || url) }, String(label));
  el.addEventListener('click', () => whileAsking(el, () => on.press(action)));
  return el;
}
