// Dates and times, in the language of the page.
import { t } from './language.js';

const CLOCK = new Intl.DateTimeFormat(t.locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const FULL = new Intl.DateTimeFormat(t.locale, { dateStyle: 'full', timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(t.locale, { weekday: 'long', day: 'numeric', month: 'long' });
const DAY_YEAR = new Intl.DateTimeFormat(t.locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

export const clock = (date) => CLOCK.format(date);
export const fullDate = (date) => FULL.format(date);
export const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

export function toDate(timestamp) {
  const date = new Date(timestamp ?? NaN);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

export function dayLabel(date) {
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayKey(date) === dayKey(now)) return t.today;
  if (dayKey(date) === dayKey(yesterday)) return t.yesterday;
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_YEAR).format(date);
}

/** Formats a time in the future: the time of day, and the date unless it is today. */
export function moment(date) {
  if (dayKey(date) === dayKey(new Date())) return clock(date);
  return `${(date.getFullYear() === new Date().getFullYear() ? DAY : DAY_YEAR).format(date)}, ${clock(date)}`;
}
