// Addresses of rooms and messages: /rooms/{room}#message-{id}.
const PREFIX = '#message-';

export const roomPath = (room) => `/rooms/${encodeURIComponent(room)}`;

export const messageLink = (room, id) => `${location.origin}${roomPath(room)}${PREFIX}${encodeURIComponent(id)}`;

/** Returns the id of the message that an address names, if it is one of the room; otherwise null. */
export function messageIn({ origin, pathname, hash }, room) {
  if (origin !== location.origin || pathname !== roomPath(room) || !hash.startsWith(PREFIX)) return null;
  try {
    return decodeURIComponent(hash.slice(PREFIX.length)) || null;
  } catch {
    return null;
  }
}
