// The files to send with the next message: picked, pasted or dropped.
import { sizeOf } from './attachments.js';
import { $, h, icon, toast } from './dom.js';
import { t } from './language.js';

const FILES_MAX = 10;

export class Files {
  #chosen = [];
  #open = true;

  /** `changed()` is called when files are added or removed. */
  constructor(changed) {
    this.changed = changed;
    $('attach').addEventListener('click', () => $('file-input').click());
    $('file-input').addEventListener('change', () => {
      this.add($('file-input').files);
      $('file-input').value = ''; // allows picking the same file again
    });
    $('input').addEventListener('paste', (event) => {
      const { files } = event.clipboardData ?? {};
      if (!files?.length || event.clipboardData.getData('text/plain')) return;
      event.preventDefault();
      this.add(files);
    });
    const view = $('chat-view');
    const carries = (event) => event.dataTransfer?.types.includes('Files');
    view.addEventListener('dragover', (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      view.classList.toggle('dropping', this.#open);
    });
    view.addEventListener('dragleave', (event) => {
      if (!view.contains(event.relatedTarget)) view.classList.remove('dropping');
    });
    view.addEventListener('drop', (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      view.classList.remove('dropping');
      this.add(event.dataTransfer.files);
    });
  }

  get count() { return this.#chosen.length; }

  add(files) {
    if (!this.#open) return;
    const room = FILES_MAX - this.#chosen.length;
    if (files.length > room) toast(t.tooManyFiles(FILES_MAX));
    this.#chosen.push(...[...files].slice(0, room));
    this.#show();
    $('input').focus();
  }

  /** Returns the chosen files and clears the list. */
  take() {
    const taken = this.#chosen;
    this.#chosen = [];
    this.#show();
    return taken;
  }

  /** Sets whether files can be added. */
  allow(open) {
    this.#open = open;
    $('attach').disabled = !open;
  }

  #show() {
    $('files').hidden = !this.#chosen.length;
    $('files').replaceChildren(...this.#chosen.map((file) => h('li', { class: 'chosen' },
      icon('file'), h('bdi', { class: 'file-name' }, file.name), h('span', { class: 'file-size' }, sizeOf(file.size)),
      h('button', {
        type: 'button', class: 'icon-button', 'aria-label': t.removeFile(file.name), onclick: () => this.#remove(file),
      }, icon('close')))));
    this.changed();
  }

  #remove(file) {
    this.#chosen = this.#chosen.filter((other) => other !== file);
    this.#show();
    $('input').focus();
  }
}
