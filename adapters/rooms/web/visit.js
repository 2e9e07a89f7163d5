// The room that this tab is in, so that a reload of the page returns to it.
const KEY = 'palabre.visit';

/** Remembers a room and the name there; null after leaving. */
export function rememberVisit(visit) {
  try {
    if (visit) sessionStorage.setItem(KEY, JSON.stringify(visit));
    else sessionStorage.removeItem(KEY);
  } catch { /* storage is blocked */ }
}

/** Returns the room and the name before a reload, { room, username }, or null. */
export function lastVisit() {
  try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; }
}
