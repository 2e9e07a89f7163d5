// The state of the connection: a word in the bar and, in a room without one, a line above the message box.
import { $ } from './dom.js';
import { t } from './language.js';

export class LinkState {
  #state = 'connecting';

  /** `reconnect()` tries to connect without further delay. */
  constructor(reconnect) {
    $('reconnect').addEventListener('click', reconnect);
    for (const event of ['online', 'offline']) addEventListener(event, () => this.#render());
  }

  /** `state`: connecting, connected, lost or off. */
  set(state) {
    this.#state = state;
    this.#render();
  }

  #render() {
    const isLost = this.#state === 'lost';
    const isOffline = isLost && !navigator.onLine;
    $('state').dataset.state = this.#state;
    $('state').textContent = t.states[isOffline ? 'offline' : this.#state];
    $('link-lost').hidden = !isLost;
    $('reconnect').hidden = isOffline;
    $('link-lost-text').textContent = isOffline ? t.offlineNote : t.lostNote;
  }
}
