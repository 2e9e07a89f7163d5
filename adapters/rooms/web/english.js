// The texts of the page in English. A text with values is a function. The fixed texts are in index.html.
const messages = {
  react: 'React',
  reactWith: (name) => `React with ${name}`,
  quickEmoji: ['thumbs up', 'heart', 'laughing', 'celebration', 'surprised', 'sad'],
  reply: 'Reply',
  quote: 'Quote',
  copyText: 'Copy text',
  copyLink: 'Copy link',
  textCopied: 'Text copied',
  linkCopied: 'Link copied',
  notCopied: 'The browser does not allow copying.',
  edit: 'Edit',
  remove: 'Delete',
  messageActions: 'Message actions',
  moreActions: 'More actions',
  messageGone: 'This message was deleted.',
  replyToNotLoaded: 'In reply to an older message',
  inReplyTo: 'In reply to ',
  directFrom: 'Direct message from ',
  onlyYou: 'Only you can see this',
  pinned: 'Pinned',
  pinnedMessages: (count) => `Pinned messages: ${count}`,
  dismiss: 'Dismiss',
  bot: 'bot',
  opensInNewTab: 'opens in a new tab',
  deleteQuestion: 'Delete this message?',
  deleteWarning: 'It will be deleted for everyone. This cannot be undone.',
  newMessages: 'New messages',
  newMessagesCount: (count) => (count > 1 ? `New messages (${count})` : 'New messages'),
  spoiler: 'Spoiler: show the hidden text',
  today: 'Today',
  yesterday: 'Yesterday',
  imageOf: (number, count) => `${number} of ${count}`,
  units: ['B', 'kB', 'MB', 'GB', 'TB'],
  notAvailable: 'not available',
  notificationTitle: (name, room) => `${name} in #${room}`,
  notificationsBlocked: 'The browser blocks notifications of this site.',
  notificationsUnsupported: 'This browser has no notifications for this address.',
};

const writing = {
  send: 'Send',
  save: 'Save',
  cancel: 'Cancel',
  cancelEdit: 'Cancel editing',
  cancelReply: 'Cancel reply',
  editing: 'Editing your message. Press Esc to cancel.',
  replyingTo: (name, text) => `Replying to ${name}: ${text}`,
  tooManyFiles: (max) => `You can attach at most ${max} files to a message.`,
  removeFile: (name) => `Remove ${name}`,
  queued: 'Queued: it is sent when the connection is back.',
  notSent: (reason) => `Not sent: ${reason}`,
  notConfirmed: 'not confirmed by the server',
  tooOldToSend: 'it was written long ago',
  retry: 'Retry',
  discard: 'Discard',
  uploading: 'Uploading',
  uploadFailed: (name, detail) => `${name} could not be uploaded${detail ? ` (${detail})` : ''}`,
  uploadCancelled: 'the upload was cancelled',
  moreEmoji: 'More emoji',
  noEmoji: 'No emoji of this name',
  notLoaded: 'The list could not be loaded. Try again.',
  emojiCategories: {
    recent: 'Recently used', results: 'Results', smileys: 'Smileys', people: 'People', nature: 'Animals and nature',
    food: 'Food and drink', travel: 'Travel and places', activities: 'Activities', objects: 'Objects',
    symbols: 'Symbols', flags: 'Flags',
  },
  typing: (names) => {
    if (names.length === 0) return '';
    if (names.length === 1) return `${names[0]} is typing…`;
    if (names.length <= 3) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are typing…`;
    return 'Several people are typing…';
  },
};

const forms = {
  choose: 'Choose…',
  chooseRange: (min, max) => {
    if (min === max) return `Choose ${min}`;
    return min > 0 ? `Choose ${min} to ${max}` : `Choose up to ${max}`;
  },
  form: 'Form',
  optional: 'optional',
  required: 'This field is required.',
  tooShort: (min, count) => `Enter at least ${min} characters (now ${count}).`,
  tooLong: (max, count) => `Enter at most ${max} characters (now ${count}).`,
};

const rooms = {
  join: 'Join',
  joining: 'Joining…',
  enterName: 'Enter your name.',
  chooseRoom: 'Choose a room.',
  skipToInput: 'Skip to the message box',
  skipToForm: 'Skip to the form',
  leaveQuestion: 'Leave the room?',
  leaveWarning: 'Messages that have not been sent yet will be lost.',
  leave: 'Leave',
  messagesIn: (room) => `Messages in ${room}`,
  joined: (name) => `${name} joined the room`,
  left: (name) => `${name} left the room`,
  peopleInRoom: (count) => `People in this room: ${count}`,
  showMore: 'Show more',
  you: 'you',
  reason: (text) => `Reason: ${text}`,
  muted: (end) => `You are muted${end ? ` until ${end}` : ''}`,
  canOnlyRead: 'You can read messages, but not send any.',
  unmuted: 'You are no longer muted.',
  banned: (room, end) => `You are banned from #${room}${end ? ` until ${end}` : ''}.`,
  kicked: (room) => `You were removed from #${room}.`,
  locked: 'This room is locked',
  nowLocked: 'This room is locked. Only moderators can send messages.',
  unlocked: 'This room is no longer locked.',
  slowMode: (interval) => `Slow mode: one message every ${interval}`,
  slowModeWait: (time) => `Slow mode: next message in ${time}`,
  slowModeOn: (interval) => `Slow mode is on: one message every ${interval}.`,
  slowModeOff: 'Slow mode is off.',
  topicChanged: (topic) => `The topic was changed to: ${topic}`,
  topicRemoved: 'The topic was removed.',
};

const connection = {
  states: {
    connecting: 'Connecting…', connected: 'Connected', lost: 'Connection lost. Reconnecting…', off: 'Not connected',
    offline: 'You are offline',
  },
  lostNote: 'The connection is lost. What you write is sent when it is back.',
  offlineNote: 'You are offline. What you write is sent when you are back.',
  unreachable: 'Cannot reach the server. Retrying…',
  notConnected: 'Not connected. Try again in a moment.',
  noResponse: 'The server did not respond. Try again.',
  rejoining: 'Rejoining the room. Try again in a moment.',
  somethingWrong: 'Something went wrong.',
  refused: 'the server refused the request',
};

export const english = {
  locale: 'en-GB', page: null, ...messages, ...writing, ...forms, ...rooms, ...connection,
};
