// The entry form: a name, a room, and the error of the last attempt.
import { $, store } from './dom.js';
import { t } from './language.js';

const NAME_KEY = 'palabre.name';

export class Entry {
  /** `enter(name, room)` is called with complete values. */
  constructor(enter) {
    this.enter = enter;
    $('entry').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    $('room').addEventListener('input', () => this.#highlight());
    for (const button of document.querySelectorAll('[data-room]')) {
      button.addEventListener('click', () => {
        this.#choose(button.dataset.room);
        ($('name').value.trim() ? $('enter') : $('name')).focus();
      });
    }
  }

  get isBusy() { return $('enter').disabled; }

  set isBusy(busy) {
    $('enter').disabled = busy;
    $('enter').textContent = busy ? t.joining : t.join;
  }

  showError(text) { $('entry-error').textContent = text; }

  /** Fills the form from the address: a room, and `username` and `room` of the query. */
  fill(room) {
    const query = new URLSearchParams(location.search);
    const wanted = query.get('room') || room;
    if (wanted) this.#choose(wanted);
    $('name').value = query.get('username') || $('name').value || store.get(NAME_KEY) || '';
    ($('name').value ? ($('room').value ? $('enter') : $('room')) : $('name')).focus({ preventScroll: true });
  }

  /** Keeps the name for the next visit. */
  remember() { store.set(NAME_KEY, $('name').value.trim()); }

  /** People who are signed in have one name. */
  setAccount(username) {
    $('account-in').hidden = !username;
    $('account-out').hidden = Boolean(username);
    $('account-name').textContent = username ?? '';
    $('name').readOnly = Boolean(username);
    if (username) $('name').value = username;
  }

  #submit() {
    const name = $('name').value.trim();
    const room = $('room').value.trim().replace(/^#/, '');
    const missing = !name ? ['name', t.enterName] : !room ? ['room', t.chooseRoom] : null;
    $('name').setAttribute('aria-invalid', String(!name));
    $('room').setAttribute('aria-invalid', String(!room));
    this.showError(missing?.[1] ?? '');
    if (missing) return $(missing[0]).focus();
    this.isBusy = true;
    this.enter(name, room);
  }

  #choose(room) {
    $('room').value = room;
    this.#highlight();
  }

  #highlight() {
    for (const button of document.querySelectorAll('[data-room]')) {
      button.setAttribute('aria-pressed', String(button.dataset.room === $('room').value.trim()));
    }
  }
}
