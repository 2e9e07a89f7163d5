// The socket: being the same guest as before, entering a room, coming back to it after a lost connection (but not after being shown out), and the outbox of messages
// that are not acknowledged yet. A message keeps its nonce however often it is sent, so it is never doubled.
import { io } from './vendor/socket.io.esm.min.js';

const ACK_TIMEOUT_MS = 12000;
// After a lost connection the server may still hold our name for a while: it is asked for again after these seconds.
const REJOIN_DELAYS = [1, 2, 4, 8, 15, 30];
const FORWARDED_EVENTS = [
  'new_message', 'message_edited', 'message_deleted', 'messages_deleted', 'message_pinned', 'reaction', 'user_joined',
  'user_left', 'user_typing', 'presence', 'room_users', 'room_updated', 'form',
];
// These change the log, so they wait while messages from before them are being fetched.
const LOG_EVENTS = ['new_message', 'message_edited', 'message_deleted', 'messages_deleted', 'message_pinned', 'reaction'];
const REMOVAL_KINDS = ['kicked', 'banned'];
// What the server answers to somebody who is in no room: our place there is lost, and is taken again.
const NOT_IN_ROOM = 'join a room first';
// Cookies do not tell ports apart. How long a token is good for is the server's to say; browsers keep no cookie for longer than this.
const COOKIE = `palabre_guest_${location.port}`;
const COOKIE_AGE_S = 400 * 86400;

export class Connection extends EventTarget {
  #socket;
  #wanted = null; // { username, room }: where we are, or are about to be
  #entered = false; // was inside that room at least once
  #joined = false; // is inside it now
  #expelled = false; // was shown out: nothing is dialled until the person asks for it
  #rejoins = 0;
  #timer = null; // an answer that is awaited, or a rejoin to come
  #reconnectTimer = null;
  #reconnects = 0;
  #token = null; // with it the server knows that this is the same guest
  #held = null; // [name, data] of what happened while messages from before it are being fetched
  #round = 0; // of catching up
  #outbox = new Map(); // nonce → { nonce, message, reply_to, files, ids: of those that are uploaded, state: 'sending' | 'failed', resend: sent again on return }

  /** `lastId()` gives the id of the last message the timeline holds. */
  constructor(lastId) {
    super();
    this.lastId = lastId;
    // The owner of a reserved name comes by a link with its token, which nobody looking at the address should see.
    const given = /^#token=([\x21-\x7e]+)$/.exec(location.hash)?.[1];
    if (given) {
      writeToken(given);
      history.replaceState(null, '', location.pathname + location.search);
    }
    this.#socket = io({
      transports: ['websocket', 'polling'], tryAllTransports: true, reconnectionDelayMax: 8000,
      auth: (send) => {
        const token = this.#token ?? readToken();
        send(token ? { token } : {});
      },
    });
    const socket = this.#socket;
    socket.on('connect', () => {
      this.#reconnects = 0;
      if (this.#wanted) this.#join();
      else this.#emit('state', { state: 'connected' });
    });
    socket.on('disconnect', () => {
      clearTimeout(this.#timer);
      this.#joined = false;
      this.#held = null;
      if (this.#expelled) return this.#emit('state', { state: 'off' });
      this.#emit('state', { state: 'lost' });
      // A disconnection that the server asked for is not followed by a reconnection of its own.
      if (!socket.active) this.#reconnectLater();
    });
    socket.on('connect_error', (error) => {
      this.#emit('state', { state: this.#entered ? 'lost' : 'connecting', problem: error.message });
      if (!socket.active) this.#reconnectLater();
    });
    socket.on('room_joined', (answer) => this.#onJoined(answer ?? {}));
    socket.on('error', (answer) => this.#onError(String(answer?.message ?? 'Something went wrong')));
    socket.on('moderated', (data) => this.#onModerated(data ?? {}));
    for (const name of FORWARDED_EVENTS) {
      socket.on(name, (data) => {
        if (!this.#joined || !data) return;
        if (this.#held && LOG_EVENTS.includes(name) && !data.ephemeral && !data.private) this.#held.push([name, data]);
        else this.#emit(name, data);
      });
    }
    addEventListener('online', () => { if (!socket.connected && !this.#expelled) socket.connect(); });
  }

  get unsent() { return this.#outbox.size; }

  enter(username, room) {
    this.#wanted = { username, room };
    this.#entered = this.#joined = this.#expelled = false;
    this.#rejoins = 0;
    if (this.#socket.connected) this.#join();
    else this.#socket.connect();
  }

  leave() {
    if (this.#joined && this.#socket.connected) this.#socket.emit('leave_room', {});
    this.#forget();
  }

  /** Asks and awaits the acknowledgement; rejects with a sentence to show. */
  async call(event, data) {
    if (!this.#joined || !this.#socket.connected) throw new Error('Not connected: please try again in a moment.');
    let answer;
    try {
      answer = await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, data);
    } catch {
      throw new Error('The server did not answer.');
    }
    if (answer?.error === NOT_IN_ROOM) {
      this.#reenter();
      throw new Error('Coming back into the room: please try again in a moment.');
    }
    if (answer?.error) throw new Error(describe(answer.error));
    return answer ?? {};
  }

  typing(isTyping) {
    if (this.#joined && this.#socket.connected) this.#socket.emit('typing', { is_typing: isTyping });
  }

  /** Puts a message in the outbox and returns its entry; events `sent` and `failed` tell what became of it. */
  send(message, replyTo, files = []) {
    const entry = { nonce: newNonce(), message, reply_to: replyTo, files, ids: null, state: 'sending', resend: false };
    this.#outbox.set(entry.nonce, entry);
    this.#post(entry);
    return entry;
  }

  retry(nonce) {
    const entry = this.#outbox.get(nonce);
    if (entry) this.#post(entry);
  }

  /** The message is in the timeline, or given up: it is not sent again. */
  removeFromOutbox(nonce) { this.#outbox.delete(nonce); }

  async #post(entry) {
    entry.state = 'sending';
    // Never left to the socket's own buffer, which would be sent before we are back in the room.
    if (!this.#joined || !this.#socket.connected) return;
    const { nonce, message, reply_to } = entry;
    const attempt = (entry.attempt = (entry.attempt ?? 0) + 1);
    const isOver = () => !this.#outbox.has(nonce) || entry.attempt !== attempt;
    if (entry.files.length && !entry.ids) {
      try {
        const ids = [];
        for (const file of entry.files) ids.push(await this.#upload(file));
        entry.ids = ids;
      } catch (error) {
        if (!isOver()) this.#fail(entry, error.message, false);
        return;
      }
      if (isOver()) return;
    }
    const about = { ...(reply_to && { reply_to }), ...(entry.ids && { files: entry.ids }) };
    this.#socket.timeout(ACK_TIMEOUT_MS).emit('send_message', { message, nonce, ...about }, (lost, answer) => {
      if (isOver()) return;
      if (lost) {
        if (!this.#joined || !this.#socket.connected) return; // sent again on return
        this.#fail(entry, 'not confirmed by the server', true);
      } else if (answer?.error === NOT_IN_ROOM) {
        this.#reenter(); // sent again once we are back
      } else if (answer?.error) {
        this.#fail(entry, describe(answer.error), false);
      } else {
        this.#outbox.delete(nonce);
        this.#emit('sent', { nonce, id: answer?.id });
      }
    });
  }

  /** Hands a file over; the id under which a message takes it along. */
  async #upload(file) {
    const { id, url } = await this.call('upload', { name: file.name, size: file.size, content_type: file.type });
    let answer;
    try {
      answer = await fetch(url, { method: 'PUT', body: file });
    } catch {
      throw new Error(`${file.name} could not be uploaded`);
    }
    if (!answer.ok) {
      const { error } = await answer.json().catch(() => ({}));
      throw new Error(error ?? `${file.name} was refused (${answer.status})`);
    }
    return id;
  }

  #fail(entry, reason, resend) {
    entry.state = 'failed';
    if (!resend) entry.ids = null; // on the next try, files are handed over anew
    entry.resend = resend;
    this.#emit('failed', { nonce: entry.nonce, reason });
  }

  #join() {
    const { username, room } = this.#wanted;
    const last = this.#entered ? this.lastId() : null;
    this.#emit('state', { state: this.#entered ? 'lost' : 'connecting' });
    const locale = navigator.language;
    this.#socket.emit('join_room', { username, room, ...(last && { last_id: last }), ...(locale && { locale }) });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refused('The server did not answer. Please try again.'), ACK_TIMEOUT_MS);
  }

  /** The connection is there, but the server does not have us in the room any more. */
  #reenter() {
    if (!this.#joined || !this.#wanted || !this.#socket.connected) return;
    this.#joined = false;
    this.#held = null;
    this.#join();
  }

  #onJoined(answer) {
    if (!this.#wanted) return this.#socket.emit('leave_room', {}); // an answer to an entry that was given up
    clearTimeout(this.#timer);
    const back = this.#entered;
    this.#wanted = { username: answer.username ?? this.#wanted.username, room: answer.room ?? this.#wanted.room };
    this.#entered = this.#joined = true;
    this.#rejoins = 0;
    if (answer.token) {
      this.#token = answer.token;
      writeToken(answer.token);
    }
    const behind = back && answer.catch_up && answer.has_more && answer.cursor;
    this.#held = behind ? [] : null;
    this.#emit('joined', { ...answer, ...this.#wanted, back });
    this.#emit('state', { state: 'connected' });
    if (behind) this.#catchUp(answer.cursor);
    for (const entry of [...this.#outbox.values()]) {
      if (entry.state === 'sending' || entry.resend) {
        this.#emit('sending', { nonce: entry.nonce });
        this.#post(entry);
      }
    }
  }

  /** Fetches what else was missed, page by page; what happens meanwhile comes behind it. */
  async #catchUp(cursor) {
    const round = ++this.#round;
    const isOver = () => !this.#held || round !== this.#round;
    try {
      for (let after = cursor; after;) {
        const page = await this.call('history', { after });
        if (isOver()) return;
        this.#emit('missed', page);
        after = page.has_more ? page.cursor : null;
      }
    } catch {
      // Without a connection it goes on from there on return.
      if (!isOver() && this.#socket.connected) this.#join();
      return;
    }
    const held = this.#held;
    this.#held = null;
    for (const [name, data] of held) this.#emit(name, data);
  }

  #onError(message) {
    if (message === NOT_IN_ROOM && this.#joined) return this.#reenter();
    if (this.#wanted && !this.#joined) this.#refused(message);
    else this.#emit('problem', { message });
  }

  #onModerated(data) {
    if (!this.#wanted) return;
    if (!REMOVAL_KINDS.includes(data.kind)) {
      if (this.#joined) this.#emit('moderated', data);
      return;
    }
    // It may also be the answer to coming back.
    const { room } = this.#wanted;
    this.#forget();
    this.#expelled = true;
    clearTimeout(this.#reconnectTimer);
    this.#socket.disconnect();
    this.#emit('expelled', { ...data, room });
  }

  #refused(message) {
    clearTimeout(this.#timer);
    if (this.#entered && this.#rejoins < REJOIN_DELAYS.length) {
      const delay = REJOIN_DELAYS[this.#rejoins++] * 1000;
      this.#timer = setTimeout(() => { if (this.#socket.connected && this.#wanted) this.#join(); }, delay);
      return;
    }
    this.#forget();
    this.#emit('refused', { message });
    this.#emit('state', { state: this.#socket.connected ? 'connected' : 'lost' });
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#wanted = null;
    this.#entered = this.#joined = false;
    this.#held = null;
    this.#outbox.clear();
  }

  #reconnectLater() {
    clearTimeout(this.#reconnectTimer);
    const delay = Math.min(1000 * 2 ** this.#reconnects++, 30000) * (0.7 + Math.random() * 0.6);
    this.#reconnectTimer = setTimeout(() => this.#socket.connect(), delay);
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

function describe(error) {
  return String(typeof error === 'object' ? error.message ?? 'refused' : error);
}

function readToken() {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${COOKIE}=`));
  try { return found ? decodeURIComponent(found.slice(COOKIE.length + 1)) : null; } catch { return null; }
}

function writeToken(token) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `${COOKIE}=${encodeURIComponent(token)}; Path=/; Max-Age=${COOKIE_AGE_S}; SameSite=Strict${secure}`;
}

/** Random and long enough to be unique; crypto.randomUUID would need a secure context. */
function newNonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
