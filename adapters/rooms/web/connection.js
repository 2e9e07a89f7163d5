// The Socket.IO connection: the guest token, joining a room, and rejoining it after a lost connection (but not after a
// removal).
import { language, t } from './language.js';
import { Outbox } from './outbox.js';
import { io } from './vendor/socket.io.esm.min.js';

const ACK_TIMEOUT_MS = 12000;
// After a lost connection the server may still hold our name. Delays between attempts to rejoin, in seconds.
const REJOIN_DELAYS = [1, 2, 4, 8, 15, 30];
const FORWARDED_EVENTS = [
  'new_message', 'message_edited', 'message_deleted', 'messages_deleted', 'message_pinned', 'reaction', 'user_joined',
  'user_left', 'user_typing', 'presence', 'room_users', 'room_updated', 'form',
];
// Events that change the log are held while earlier messages are being fetched.
const LOG_EVENTS = [
  'new_message', 'message_edited', 'message_deleted', 'messages_deleted', 'message_pinned', 'reaction',
];
const REMOVAL_KINDS = ['kicked', 'banned', 'removed'];
// The error of the server for a client that is in no room; we then rejoin.
const NOT_IN_ROOM = 'join a room first';
// Cookies ignore ports, so the name has the port. The server decides when a token expires; browsers keep cookies at
// most this long.
const COOKIE = `palabre_guest_${location.port}`;
const COOKIE_AGE_S = 400 * 86400;

export class Connection extends EventTarget {
  #socket;
  #wanted = null; // { username, room } that we are in or are joining
  #entered = false; // has been in that room at least once
  #joined = false; // is in the room now
  #expelled = false; // kicked or banned: no reconnection until the person enters again
  #rejoins = 0;
  #timer = null; // timeout of a join, or delay of a rejoin
  #reconnectTimer = null;
  #reconnects = 0;
  #token = null; // identifies the guest
  #held = null; // [name, data] of events held while earlier messages are being fetched
  #round = 0; // number of the current catch-up

  /** `lastId()` returns the id of the last message in the timeline. */
  constructor(lastId) {
    super();
    this.lastId = lastId;
    this.outbox = new Outbox({
      // Not left to the buffer of the socket, which would be sent before we have rejoined the room.
      isOpen: () => this.#joined && this.#socket.connected,
      call: (event, data) => this.call(event, data),
      post: (data) => this.#post(data),
      isNotInRoom: (answer) => answer.error === NOT_IN_ROOM,
      reenter: () => this.#reenter(),
      report: (name, detail) => this.#emit(name, detail),
    });
    // The owner of a reserved name opens a link with its token, which must not stay in the address bar. The token of
    // an account is not taken from a link: its sender would read along.
    const given = /^#token=([\x21-\x7e]+)$/.exec(location.hash)?.[1];
    if (given) {
      if (!given.startsWith('plb_')) writeToken(given);
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
      this.outbox.suspend();
      if (this.#expelled) return this.#emit('state', { state: 'off' });
      this.#emit('state', { state: 'lost' });
      // Socket.IO does not reconnect by itself after the server has closed the connection.
      if (!socket.active) this.#reconnectLater();
    });
    socket.on('connect_error', (error) => {
      this.#emit('state', { state: this.#entered ? 'lost' : 'connecting', problem: error.message });
      if (!socket.active) this.#reconnectLater();
    });
    socket.on('connected', (answer) => this.#emit('account', { username: answer?.username ?? null }));
    socket.on('room_joined', (answer) => this.#onJoined(answer ?? {}));
    socket.on('error', (answer) => this.#onError(String(answer?.message ?? t.somethingWrong)));
    socket.on('moderated', (data) => this.#onModerated(data ?? {}));
    for (const name of FORWARDED_EVENTS) {
      socket.on(name, (data) => {
        if (!this.#joined || !data) return;
        if (this.#held && LOG_EVENTS.includes(name) && !data.ephemeral && !data.private) this.#held.push([name, data]);
        else this.#emit(name, data);
      });
    }
    addEventListener('online', () => this.reconnect());
  }

  /** Tries to connect without further delay. */
  reconnect() {
    clearTimeout(this.#reconnectTimer);
    if (this.#socket.connected || this.#expelled) return;
    // Socket.IO may be waiting for its own next attempt.
    this.#socket.disconnect();
    this.#socket.connect();
  }

  enter(username, room) {
    this.#wanted = { username, room };
    this.#entered = this.#joined = this.#expelled = false;
    this.#rejoins = 0;
    if (this.#socket.connected) this.#join();
    else this.#socket.connect();
  }

  leave() {
    if (this.#joined && this.#socket.connected) this.#socket.emit('leave_room', {});
    this.outbox.clear();
    this.#forget();
  }

  /** Sends an event and waits for the acknowledgement; rejects with an error text to show. */
  async call(event, data) {
    if (!this.#joined || !this.#socket.connected) throw new Error(t.notConnected);
    let answer;
    try {
      answer = await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, data);
    } catch {
      throw new Error(t.noResponse);
    }
    if (answer?.error === NOT_IN_ROOM) {
      this.#reenter();
      throw new Error(t.rejoining);
    }
    if (answer?.error) throw new Error(describe(answer.error));
    return answer ?? {};
  }

  typing(isTyping) {
    if (this.#joined && this.#socket.connected) this.#socket.emit('typing', { is_typing: isTyping });
  }

  /** Puts a message in the outbox and returns its entry; its result is a `sent` or an `outgoing` event. */
  send(message, replyTo, files) { return this.outbox.send(message, replyTo, files); }

  /** Emits a message; resolves to the answer of the server, or to null if there is none in time. */
  async #post(data) {
    try {
      return (await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('send_message', data)) ?? {};
    } catch {
      return null;
    }
  }

  #join() {
    const { username, room } = this.#wanted;
    const last = this.#entered ? this.lastId() : null;
    this.#emit('state', { state: this.#entered ? 'lost' : 'connecting' });
    const locale = language.chosen ?? navigator.language;
    this.#socket.emit('join_room', { username, room, ...(last && { last_id: last }), ...(locale && { locale }) });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refused(t.noResponse), ACK_TIMEOUT_MS);
  }

  /** Joins again when the connection is up but the server no longer has us in the room. */
  #reenter() {
    if (!this.#joined || !this.#wanted || !this.#socket.connected) return;
    this.#joined = false;
    this.#held = null;
    this.#join();
  }

  #onJoined(answer) {
    if (!this.#wanted) return this.#socket.emit('leave_room', {}); // the join was cancelled
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
    const restored = this.outbox.open(this.#wanted.room, this.#wanted.username);
    this.#emit('joined', { ...answer, ...this.#wanted, back, restored });
    this.#emit('state', { state: 'connected' });
    if (behind) this.#catchUp(answer.cursor);
    this.outbox.resume();
  }

  /** Fetches the other missed messages page by page, then emits the events held in the meantime. */
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
      // Without a connection it continues after rejoining.
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
    // It may also be the response to a rejoin.
    const { room } = this.#wanted;
    this.outbox.clear();
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
    this.outbox.close();
  }

  #reconnectLater() {
    clearTimeout(this.#reconnectTimer);
    const delay = Math.min(1000 * 2 ** this.#reconnects++, 30000) * (0.7 + Math.random() * 0.6);
    this.#reconnectTimer = setTimeout(() => this.#socket.connect(), delay);
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

function describe(error) {
  return String(typeof error === 'object' ? error.message ?? t.refused : error);
}

function readToken() {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${COOKIE}=`));
  try { return found ? decodeURIComponent(found.slice(COOKIE.length + 1)) : null; } catch { return null; }
}

function writeToken(token) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `${COOKIE}=${encodeURIComponent(token)}; Path=/; Max-Age=${COOKIE_AGE_S}; SameSite=Strict${secure}`;
}
