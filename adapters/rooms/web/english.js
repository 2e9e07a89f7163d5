// The texts of the page in English. A text with values is a function.
export const english = {
  chooseEmoji: 'Choose an emoji',
  searchEmoji: 'Search emoji',
  noEmoji: 'No emoji of this name',
  emojiCategories: {
    recent: 'Recently used', results: 'Results', smileys: 'Smileys', people: 'People', nature: 'Animals and nature',
    food: 'Food and drink', travel: 'Travel and places', activities: 'Activities', objects: 'Objects',
    symbols: 'Symbols', flags: 'Flags',
  },
  moreEmoji: 'More emoji',
  notLoaded: 'The list could not be loaded. Try again.',
};
