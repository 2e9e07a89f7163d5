// The page as a whole: the entry form, the chat, and the events between the socket and the parts of the page.
import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { $, confirm, focusInput, toast, whileAsking } from './dom.js';
import { Entry } from './entry.js';
import { Forms } from './form.js';
import { registerWorker } from './install.js';
import { t, translatePage } from './language.js';
import { LinkState } from './link-state.js';
import { messageIn, messageLink, roomPath } from './links.js';
import { isForUser } from './mentions.js';
import { Notifications } from './notifications.js';
import { People, Typing } from './people.js';
import { Pins } from './pins.js';
import { Restrictions, removalMessage } from './restrictions.js';
import { Settings } from './settings.js';
import { Timeline } from './timeline.js';
import { Unread } from './unread.js';
import { watchImages } from './viewer.js';
import { lastVisit, rememberVisit } from './visit.js';

translatePage();

const PATH = /^\/rooms\/([^/]+)\/?$/;

let here = null; // { room, username } while in a room

const connection = new Connection(() => timeline.lastId);
const entry = new Entry((name, room) => connection.enter(name, room));
const linkState = new LinkState(() => connection.reconnect());
const people = new People((cursor) => ask('room_users', { cursor }));
const typing = new Typing();

const timeline = new Timeline({
  history: (data) => connection.call('history', data),
  link: (id) => messageLink(here.room, id),
  open: openMessage,
  reply: (view) => composer.reply(view),
  quote: (text) => composer.quote(text),
  edit: (view) => composer.edit(view),
  remove,
  react: (id, emoji, remove) => ask('react', { id, emoji, ...(remove && { remove }) }),
  press: (id, action) => ask('button', { id, action }),
  choose: (id, action, values) => ask('select', { id, action, values }),
  retry: (nonce) => {
    connection.outbox.post(nonce);
    composer.focus();
  },
  discard: (nonce) => {
    connection.outbox.remove(nonce);
    timeline.discard(nonce);
    composer.focus();
  },
  cancelUpload: (nonce) => connection.outbox.cancel(nonce),
  removeFromOutbox: (nonce) => connection.outbox.remove(nonce),
});

const composer = new Composer({
  send: (text, replyTo, files) => {
    const message = connection.send(text, replyTo, files);
    timeline.addPending(message);
    unread.seen();
    connection.outbox.post(message.nonce);
    restrictions.messageSent();
  },
  edit: (id, message) => ask('edit_message', { id, message }),
  typing: (isTyping) => connection.typing(isTyping),
  lastOwn: () => timeline.lastOwn(),
  names: () => people.names,
  tooEarly: () => restrictions.showTooEarly(),
});

const restrictions = new Restrictions(composer, (text, tone) => timeline.notice(text, tone));
const unread = new Unread(timeline);
const notifications = new Notifications(openMessage);
new Settings(notifications);
const pins = new Pins(openMessage);
const forms = new Forms((form, values) => connection.call('form', { form, values }), toast);

/** Sends a request and shows its error, if any. Resolves to whether it succeeded. */
async function ask(event, data) {
  try {
    await connection.call(event, data);
    return true;
  } catch (error) {
    toast(error.message);
    return false;
  }
}

const showError = (error) => toast(error.message);

/** Shows a message of the room, wherever in the history it is. */
function openMessage(id) { return timeline.open(id).catch(showError); }

/** Opens the message that the address names, if it is one of this room. */
function openLinked() {
  const id = here && messageIn(location, here.room);
  if (id) openMessage(id);
}

async function remove(view) {
  const { id } = view.msg;
  if (await confirm(t.deleteQuestion, t.deleteWarning, t.remove)) ask('delete_message', { id });
}

/** Removes deleted messages, by id. */
function forget(ids) {
  for (const id of ids) composer.forget(id);
  timeline.remove(ids);
  pins.remove(ids);
}

// Events of the server.
const on = (name, listener) => connection.addEventListener(name, (event) => listener(event.detail));

on('state', ({ state, problem }) => {
  linkState.set(state);
  if (problem && !here && entry.isBusy) entry.showError(t.unreachable);
});

on('joined', (joined) => {
  const { room, username, author, messages, pinned, users, count, back, restored, ...rest } = joined;
  const { next_users: next, catch_up: catchUp, has_more: hasMore, ...rules } = rest;
  here = { room, username };
  timeline.is(username, author);
  for (const message of restored) timeline.addPending(message); // before the history, which may have them
  timeline.load(messages ?? [], Boolean(back && catchUp));
  if (!back || !catchUp) timeline.offerEarlier(Boolean(hasMore));
  // `pinned` may include messages that are older than the page of the history.
  pins.load([...(pinned ?? []), ...(messages ?? [])], Boolean(back && catchUp && !pinned));
  people.set(users ?? [], { me: username, count, next });
  typing.clear();
  restrictions.enter(rules, back, timeline.lastOwn()?.date);
  if (back) return unread.separate(catchUp ? messages ?? [] : []);
  unread.enter(room, messages ?? []);
  entry.remember();
  rememberVisit(here);
  composer.enter(room);
  $('room-title').textContent = room;
  $('messages').setAttribute('aria-label', t.messagesIn(room));
  const path = roomPath(room);
  if (location.pathname !== path || location.search) history.pushState(null, '', path);
  show('chat');
  // On a touch screen, focusing the input would open the keyboard over the room.
  if (matchMedia('(pointer: fine)').matches) focusInput();
  else $('messages').focus();
  openLinked();
});

on('refused', ({ message }) => {
  show('entry');
  entry.showError(message);
  $('name').focus();
});

on('expelled', (why) => {
  depart();
  history.pushState(null, '', '/');
  entry.showError(removalMessage(why));
});
on('moderated', (what) => restrictions.moderated(what));
on('room_updated', (room) => {
  if (!room.room || room.room === here?.room) restrictions.update(room);
});
on('form', (form) => forms.show(form));

on('new_message', (msg) => {
  typing.set(msg.username, false);
  if (msg.username === here?.username && !msg.bot) restrictions.messageSent();
  if (msg.pinned) pins.set(msg, true);
  if (!timeline.add(msg) || msg.type === 'notification') return;
  unread.arrived(msg);
  const view = timeline.room.find(msg.id);
  if (view && isForUser(view)) notifications.show(msg, here.room);
});
on('message_edited', (msg) => {
  timeline.edit(msg);
  pins.edited(msg);
});
on('message_deleted', ({ id }) => forget([id]));
on('messages_deleted', ({ ids }) => forget(ids ?? []));
on('message_pinned', ({ id, pinned }) => {
  timeline.pin(id, pinned);
  const msg = timeline.room.find(id)?.msg;
  if (msg || !pinned) pins.set(msg ?? { id }, pinned);
});
on('reaction', (change) => timeline.react(change));
on('missed', ({ messages }) => {
  timeline.load(messages ?? [], true);
  pins.load(messages ?? [], true);
});
on('user_joined', ({ username, message, count }) => {
  people.change([username], [], count);
  timeline.notice(message === `${username} joined the room` ? t.joined(username) : message);
});
on('user_left', ({ username, message, count }) => {
  people.change([], [username], count);
  typing.set(username, false);
  timeline.notice(message === `${username} left the room` ? t.left(username) : message);
});
on('user_typing', ({ username, is_typing: isTyping }) => {
  if (username !== here?.username) typing.set(username, isTyping);
});
// In a large room, joins and leaves arrive together and are not shown in the log.
on('presence', ({ joined, left, count, truncated }) => {
  people.change(joined ?? [], left ?? [], count);
  for (const name of left ?? []) typing.set(name, false);
  if (truncated) ask('room_users', {});
});
on('room_users', ({ room, users, count, cursor, next }) => {
  if (room && room !== here?.room) return;
  if (cursor) people.append(users ?? [], { count, next });
  else people.set(users ?? [], { count, next });
});
on('sent', ({ nonce, id, restored }) => timeline.acknowledge(nonce, id, restored));
on('outgoing', ({ nonce, state, detail }) => {
  timeline.setState(nonce, state, detail);
  if (state === 'failed') restrictions.messageFailed();
});
on('problem', ({ message }) => toast(message));

on('account', ({ username }) => entry.setAccount(username));

function show(view) {
  document.body.dataset.view = view;
  $('chat-view').hidden = view !== 'chat';
  $('entry-view').hidden = view !== 'entry';
  $('skip').textContent = view === 'chat' ? t.skipToInput : t.skipToForm;
  entry.isBusy = false;
  if (view === 'entry') {
    here = null;
    rememberVisit(null);
    unread.leave();
    people.close();
    forms.clear();
    pins.clear();
    $('confirm').close('cancel');
    $('room-title').textContent = 'Palabre';
    timeline.clear();
    restrictions.clear();
    composer.reset();
    typing.clear();
  } else {
    entry.showError('');
  }
}

async function leave() {
  const { size } = connection.outbox;
  if (size && !await confirm(t.leaveQuestion, t.leaveWarning, t.leave)) return;
  depart();
  history.pushState(null, '', '/');
}

function depart() {
  connection.leave();
  show('entry');
  $('room').focus();
}

/** The room in the address /rooms/{room}, or an empty text. */
function addressedRoom() {
  try { return decodeURIComponent(PATH.exec(location.pathname)?.[1] ?? ''); } catch { return ''; }
}

/** After a reload, returns to the room; otherwise offers the form. */
function start() {
  const room = addressedRoom();
  entry.fill(room);
  const visit = lastVisit();
  if (!visit || visit.room !== room) return rememberVisit(null);
  entry.isBusy = true;
  connection.enter(visit.username, room);
}

$('leave').addEventListener('click', leave);
for (const way of ['earlier', 'later']) {
  $(way).addEventListener('click', () => whileAsking($(way), () => timeline[way]().catch(showError)));
}
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  if (here) focusInput();
  else $('name').focus();
});
addEventListener('hashchange', openLinked);
// A link to a message of this room needs no other tab.
$('messages').addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  const id = link && here && !event.ctrlKey && !event.metaKey && messageIn(link, here.room);
  if (!id) return;
  event.preventDefault();
  openMessage(id);
});
addEventListener('popstate', () => {
  if (here && location.pathname === roomPath(here.room)) return;
  if (here) depart();
  entry.fill(addressedRoom());
});
addEventListener('beforeunload', (event) => {
  if (here && connection.outbox.hasFiles) event.preventDefault();
});

watchImages($('messages'));
registerWorker();
start();
