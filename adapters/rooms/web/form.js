// Forms that a bot asks this person to fill in, one after the other, in a modal dialog.
import { $, h, whileAsking } from './dom.js';

export class Forms {
  #dialog = $('form');
  #waiting = [];
  #open = null; // { id, fields: [Field] }
  #from = null; // what had the focus before

  /** `submit(id, values)` rejects with a sentence to show; `late(sentence)` shows one when the form is closed already. */
  constructor(submit, late) {
    this.submit = submit;
    this.late = late;
    $('form-body').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    $('form-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#closed());
  }

  show(form) {
    if (this.#open) this.#waiting.push(form);
    else this.#start(form);
  }

  /** The person leaves the room: nothing is asked any more. */
  clear() {
    this.#waiting = [];
    this.#from = null;
    if (this.#open) this.#dialog.close();
  }

  #start({ form: id, title, fields }) {
    this.#open = { id, fields: (fields ?? []).map((field, i) => new Field(field, `field-${i}`)) };
    this.#from = document.activeElement;
    $('form-title').textContent = String(title || 'Form');
    $('form-error').textContent = '';
    $('form-fields').replaceChildren(...this.#open.fields.map((field) => field.el));
    this.#dialog.showModal();
    (this.#open.fields[0]?.input ?? $('form-submit')).focus();
  }

  #send() {
    const form = this.#open;
    const wrong = form.fields.filter((field) => !field.check());
    $('form-error').textContent = '';
    if (wrong.length) return wrong[0].input.focus();
    return whileAsking($('form-submit'), async () => {
      let problem = null;
      try {
        // A map of its own, since a field may have any name.
        await this.submit(form.id, Object.fromEntries(form.fields.map(({ name, input }) => [name, input.value])));
      } catch (error) {
        problem = error.message;
      }
      if (this.#open !== form) {
        if (problem) this.late(problem);
      } else if (problem) {
        $('form-error').textContent = problem;
        $('form-error').scrollIntoView({ block: 'nearest' });
      } else {
        this.#dialog.close();
      }
    });
  }

  #closed() {
    this.#open = null;
    $('form-fields').replaceChildren();
    $('form-submit').removeAttribute('aria-disabled');
    const next = this.#waiting.shift();
    // Browsers put it back themselves, unless what had it is gone.
    const from = this.#from;
    if (from) (from.isConnected && from !== document.body ? from : $('messages')).focus({ preventScroll: true });
    if (next) this.#start(next);
  }
}

/** One question: its label, its input, and what is wrong with the answer. Lengths are counted in characters, not UTF-16 units. */
class Field {
  constructor({ name, label, long, required, min, max, placeholder, value }, id) {
    Object.assign(this, { name: String(name), required: Boolean(required), min: Number(min ?? 0), max: Number(max ?? Infinity) });
    const given = { id, required: this.required, placeholder, 'aria-describedby': `${id}-note`, autocomplete: 'off', oninput: () => this.#onInput() };
    this.input = long ? h('textarea', { ...given, rows: '5' }) : h('input', { ...given, type: 'text' });
    this.input.value = String(value ?? '');
    this.note = h('span', { class: 'field-note', id: `${id}-note` });
    this.el = h('div', { class: 'form-field' },
      h('label', { for: id }, String(label ?? name), !this.required && h('span', { class: 'optional' }, ' (optional)')),
      this.input, this.note);
    this.#say();
  }

  check() {
    const text = this.input.value;
    const count = [...text].length;
    let problem = null;
    if (!text.trim()) problem = this.required ? 'Please fill this in.' : null;
    else if (count < this.min) problem = `At least ${this.min} characters, please; these are ${count}.`;
    if (count > this.max) problem = `At most ${this.max} characters, please; these are ${count}.`;
    this.#say(problem);
    return !problem;
  }

  #onInput() {
    // What is wrong is said when the form is sent; from then on, as it is put right.
    if (this.input.getAttribute('aria-invalid') === 'true') this.check();
    else this.#say();
  }

  #say(problem = null) {
    this.input.setAttribute('aria-invalid', String(problem !== null));
    const count = [...this.input.value].length;
    const near = Number.isFinite(this.max) && count > this.max * 0.8;
    this.note.textContent = problem ?? (near ? `${count} / ${this.max}` : '');
    this.note.classList.toggle('wrong', problem !== null || count > this.max);
  }
}
