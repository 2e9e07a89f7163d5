// Inserting text into an input, so that the browser can undo it.

/** Replaces the text from `start` to `end`; the input event follows. */
export function replaceText(input, start, end, text) {
  input.focus();
  input.setSelectionRange(start, end);
  // The only way that keeps the undo history; setRangeText would clear it.
  if (document.execCommand('insertText', false, text)) return;
  input.setRangeText(text, start, end, 'end');
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Replaces the selection. */
export function insertText(input, text) {
  replaceText(input, input.selectionStart, input.selectionEnd, text);
}
