// Forms from bots, shown one after the other in a modal dialog.
import { $, h, whileAsking } from './dom.js';
import { t } from './language.js';

export class Forms {
  #dialog = $('form');
  #waiting = [];
  #open = null; // { id, fields: [Field] }
  #from = null; // the element that had the focus before

  /** `submit(id, values)` rejects with an error text to show; `late(text)` shows it if the form is already closed. */
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

  /** Closes and drops all forms when the person leaves the room. */
  clear() {
    this.#waiting = [];
    this.#from = null;
    if (this.#open) this.#dialog.close();
  }

  #start({ form: id, title, fields }) {
    this.#open = { id, fields: (fields ?? []).map((field, i) => new Field(field, `field-${i}`)) };
    this.#from = document.activeElement;
    $('form-title').textContent = String(title || t.form);
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
        // fromEntries also keeps a field named __proto__.
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
    // Browsers restore the focus themselves, unless its element is gone.
    const from = this.#from;
    if (from) (from.isConnected && from !== document.body ? from : $('messages')).focus({ preventScroll: true });
    if (next) this.#start(next);
  }
}

/** A field: its label, its input and its error. Lengths are counted in characters, not UTF-16 units. */
class Field {
  constructor({ name, label, long, required, min, max, placeholder, value }, id) {
    this.name = String(name);
    this.required = Boolean(required);
    this.min = Number(min ?? 0);
    this.max = Number(max ?? Infinity);
    const given = {
      id, required: this.required, placeholder, 'aria-describedby': `${id}-note`, autocomplete: 'off',
      oninput: () => this.#onInput(),
    };
    this.input = long ? h('textarea', { ...given, rows: '5' }) : h('input', { ...given, type: 'text' });
    this.input.value = String(value ?? '');
    this.note = h('span', { class: 'field-note', id: `${id}-note` });
    const optional = !this.required && h('span', { class: 'optional' }, ` (${t.optional})`);
    this.el = h('div', { class: 'form-field' },
      h('label', { for: id }, String(label ?? name), optional),
      this.input, this.note);
    this.#say();
  }

  check() {
    const text = this.input.value;
    const count = [...text].length;
    let problem = null;
    if (!text.trim()) problem = this.required ? t.required : null;
    else if (count < this.min) problem = t.tooShort(this.min, count);
    if (count > this.max) problem = t.tooLong(this.max, count);
    this.#say(problem);
    return !problem;
  }

  #onInput() {
    // Errors are shown on submission, and from then on while typing.
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
