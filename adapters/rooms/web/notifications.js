// Notifications of the desktop for messages to the user, while the tab is hidden. They are off until the user turns
// them on in the settings: only then does the browser ask for permission.
import { store } from './dom.js';
import { t } from './language.js';
import { excerpt } from './message.js';

const KEY = 'palabre.notifications';
const ICON = new URL('icon-192.png', import.meta.url).href;

export class Notifications {
  /** `open(id)` shows the message of a notification that was clicked. */
  constructor(open) { this.open = open; }

  get areSupported() { return 'Notification' in globalThis && isSecureContext; }

  get areBlocked() { return this.areSupported && Notification.permission === 'denied'; }

  get areOn() {
    return this.areSupported && store.get(KEY) === 'on' && Notification.permission === 'granted';
  }

  /** Turns them on or off; call it in the handler of a click. Resolves to whether they are on. */
  async turn(on) {
    if (!this.areSupported) return false;
    if (on && Notification.permission !== 'granted') await Notification.requestPermission();
    store.set(KEY, on ? 'on' : 'off');
    return this.areOn;
  }

  /** Shows a message, unless the user sees the page. */
  async show(msg, room) {
    if (!document.hidden || !this.areOn) return;
    const title = t.notificationTitle(msg.username, room);
    const options = { body: excerpt(msg.message), tag: `message-${msg.id}`, icon: ICON };
    try {
      const notification = new Notification(title, options);
      notification.onclick = () => {
        window.focus();
        notification.close();
        this.open(msg.id);
      };
    } catch {
      // Android has no constructor; the service worker shows it.
      const worker = await navigator.serviceWorker?.getRegistration();
      await worker?.showNotification(title, options);
    }
  }
}
