// Mentions: @ and the name of a person, as a word of its own.

/** Whether a text mentions a person. */
export function mentions(text, name) {
  if (!name) return false;
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_@])@${escaped}(?![\\p{L}\\p{N}_])`, 'iu').test(String(text ?? ''));
}

/** Whether a message is for the user: it mentions them or replies to them. */
export function isForUser({ own, msg, room }) {
  if (own) return false;
  return mentions(msg.message, room.me) || Boolean(msg.reply_to && room.find(msg.reply_to)?.own);
}
