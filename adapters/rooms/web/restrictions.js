// The rules of the room and of its moderators: topic, lock, slow mode, and whether the user is muted.
// The server enforces them; the page only prevents users from writing messages that would be refused.
import { moment } from './dates.js';
import { $ } from './dom.js';
import { t } from './language.js';

/** The longest delay of a timer. */
const TIMEOUT_MAX_MS = 0x7fffffff;
const NO_RULES = { topic: null, slowmode: null, locked: false };

export class Restrictions {
  #rules = NO_RULES;
  #muted = null; // { until: a Date, or null if indefinite }
  #spoke = -Infinity; // when the user last sent a message
  #before = -Infinity; // the previous value of #spoke
  #timer = null;

  /** `composer` is blocked and held; `notice(text, tone)` adds a line to the log. */
  constructor(composer, notice) {
    this.composer = composer;
    this.notice = notice;
    $('topic').addEventListener('click', () => {
      $('topic').setAttribute('aria-expanded', String($('topic').getAttribute('aria-expanded') !== 'true'));
    });
  }

  /** Handles a join, or a rejoin if `back`; `spoke` is when the user last sent a message in the room. */
  enter(room, back, spoke) {
    if (!back) {
      this.#rules = NO_RULES;
      this.#muted = null;
      this.#before = -Infinity;
      this.#spoke = spoke?.getTime() ?? -Infinity;
    }
    const rules = rulesOf(room);
    // On joining, topic and slow mode are visible anyway; only a lock is announced in the log.
    this.#change(rules, back ? rules : { ...NO_RULES, locked: rules.locked });
  }

  update(room) {
    const rules = rulesOf(room);
    this.#change(rules, rules);
  }

  /** Handles a mute or unmute of the user. */
  moderated({ kind, reason, until }) {
    const because = reason ? `\n${t.reason(reason)}` : '';
    if (kind === 'muted') {
      const date = until ? new Date(until) : null;
      const muted = { until: date && !Number.isNaN(date.getTime()) ? date : null };
      const known = this.#muted && this.#muted.until?.getTime() === muted.until?.getTime();
      this.#muted = muted;
      if (!known) this.notice(`${mutedText(muted)}. ${t.canOnlyRead}${because}`, 'bad');
    } else if (kind === 'unmuted') {
      this.#muted = null;
      this.notice(`${t.unmuted}${because}`, 'good');
    }
    this.#refresh();
  }

  /** The user sent a message. */
  messageSent() {
    this.#before = this.#spoke;
    this.#spoke = Date.now();
    this.#refresh();
  }

  /** The message was refused or failed. */
  messageFailed() {
    this.#spoke = this.#before;
    this.#refresh();
  }

  /** Reports that the user tried to send during the slow mode delay. */
  showTooEarly() {
    // A live countdown would be read out every second.
    $('slow-said').textContent = $('slow-text').textContent;
    $('slow').classList.remove('early');
    requestAnimationFrame(() => $('slow').classList.add('early'));
  }

  clear() {
    this.#rules = NO_RULES;
    this.#muted = null;
    this.#spoke = this.#before = -Infinity;
    this.#refresh();
  }

  /** Applies `rules`, and announces in the log how `told` differs from the previous rules. */
  #change(rules, told) {
    const before = this.#rules;
    this.#rules = rules;
    if (told.locked !== before.locked) {
      this.notice(told.locked ? t.nowLocked : t.unlocked);
    }
    if (told.slowmode !== before.slowmode) {
      this.notice(told.slowmode ? t.slowModeOn(span(told.slowmode)) : t.slowModeOff);
    }
    if (told.topic !== before.topic) {
      this.notice(told.topic ? t.topicChanged(told.topic) : t.topicRemoved);
    }
    if (rules.topic !== before.topic) $('topic').setAttribute('aria-expanded', 'false');
    this.#refresh();
  }

  #refresh() {
    clearTimeout(this.#timer);
    const now = Date.now();
    const { topic, slowmode, locked } = this.#rules;
    if (this.#muted?.until && this.#muted.until <= now) {
      this.#muted = null;
      this.notice(t.unmuted, 'good');
    }
    const muted = this.#muted;
    $('topic').hidden = !topic;
    $('topic-text').textContent = topic ?? '';
    $('topic').title = topic ?? '';
    $('locked').hidden = !locked;
    this.composer.block(muted ? mutedText(muted) : locked ? t.locked : null);

    const isSlowed = slowmode && !muted && !locked;
    const wait = isSlowed ? Math.min(slowmode, Math.ceil((this.#spoke - now) / 1000 + slowmode)) : 0;
    this.composer.hold(wait > 0);
    $('slow').hidden = !slowmode || Boolean(muted) || locked;
    if (wait <= 0) $('slow').classList.remove('early');
    const text = slowModeText(slowmode, wait);
    if ($('slow-text').textContent !== text) $('slow-text').textContent = text;

    if (wait > 0) this.#timer = setTimeout(() => this.#refresh(), 1000 - (now - this.#spoke) % 1000);
    else if (muted?.until) this.#timer = setTimeout(() => this.#refresh(), Math.min(TIMEOUT_MAX_MS, muted.until - now));
  }
}

/** Returns the text on the entry form for a user who was kicked or banned. */
export function removalMessage({ kind, room, reason, until }) {
  const date = until ? new Date(until) : null;
  const term = date && !Number.isNaN(date.getTime()) ? moment(date) : null;
  const what = kind === 'banned' ? t.banned(room, term) : t.kicked(room);
  return reason ? `${what}\n${t.reason(reason)}` : what;
}

const rulesOf = ({ topic, slowmode, locked }) => ({
  topic: topic ? String(topic) : null, slowmode: Number(slowmode) || null, locked: Boolean(locked),
});

const mutedText = ({ until }) => t.muted(until && moment(until));

function slowModeText(slowmode, wait) {
  if (wait > 0) return t.slowModeWait(countdown(wait));
  return slowmode ? t.slowMode(span(slowmode)) : '';
}

/** Formats 90 as “1 min 30 s”. */
function span(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = [[hours, 'h'], [minutes, 'min'], [Math.ceil(seconds % 60), 's']];
  return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** Formats 90 as “1:30”. */
function countdown(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
