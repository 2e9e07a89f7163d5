// The settings, in a popover of the bar.
import { $ } from './dom.js';
import { t } from './language.js';

export class Settings {
  constructor(notifications) {
    this.notifications = notifications;
    $('settings').addEventListener('beforetoggle', () => {
      $('settings').style.top = `${document.querySelector('.bar').getBoundingClientRect().bottom + 6}px`;
      this.#render();
    });
    $('notify').addEventListener('change', async () => {
      await notifications.turn($('notify').checked);
      this.#render();
    });
  }

  #render() {
    const { areOn, areBlocked, areSupported } = this.notifications;
    $('notify').checked = areOn;
    $('notify').disabled = areBlocked || !areSupported;
    $('notify-note').textContent = areBlocked ? t.notificationsBlocked : areSupported ? '' : t.notificationsUnsupported;
  }
}
