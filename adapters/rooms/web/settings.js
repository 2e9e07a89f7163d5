// The settings, in a popover of the bar.
import { $, h } from './dom.js';
import { LANGUAGES, chooseLanguage, language, t } from './language.js';

export class Settings {
  constructor(notifications) {
    this.notifications = notifications;
    $('settings').addEventListener('beforetoggle', () => {
      $('settings').style.top = `${document.querySelector('.bar').getBoundingClientRect().bottom + 6}px`;
      this.#render();
    });
    $('language').append(...Object.entries(LANGUAGES).map(([code, name]) => h('option', {
      value: code, lang: code, selected: code === language.code,
    }, name)));
    $('language').addEventListener('change', () => chooseLanguage($('language').value));
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
