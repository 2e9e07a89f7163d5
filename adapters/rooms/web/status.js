// The state of an own message that is not sent yet, below its text: queued, uploading, or why it failed.
import { h } from './dom.js';
import { t } from './language.js';

/** Shows the state of a message; `detail` is the fraction that is uploaded, or the reason of a failure. */
export function showState({ parts: { status }, msg: { nonce }, room }, state, detail) {
  const button = (label, action) =>
    h('button', { type: 'button', class: 'retry', onclick: () => room[action](nonce) }, label);
  status.classList.toggle('calm', state !== 'failed');
  if (state === 'uploading') return showProgress(status, detail, () => button(t.cancel, 'cancelUpload'));
  if (state === 'failed') {
    status.replaceChildren(`${t.notSent(detail)} `, button(t.retry, 'retry'), ' ', button(t.discard, 'discard'));
  } else if (state === 'queued') {
    status.replaceChildren(`${t.queued} `, button(t.discard, 'discard'));
  } else {
    status.replaceChildren();
  }
}

/** Changes only the bar if there is one, so that the button keeps the focus. */
function showProgress(status, fraction, cancel) {
  let bar = status.querySelector('progress');
  if (!bar) {
    bar = h('progress', { max: '1', 'aria-label': t.uploading });
    status.replaceChildren(bar, ' ', h('span', { class: 'percent', 'aria-hidden': 'true' }), ' ', cancel());
  }
  bar.value = fraction;
  status.querySelector('.percent').textContent = `${Math.floor(fraction * 100)} %`;
}
