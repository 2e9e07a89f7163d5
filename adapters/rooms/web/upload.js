// The upload of one file, with its progress. XMLHttpRequest, because fetch reports no progress of a request.
import { t } from './language.js';

/** Sends a file to its address. Rejects with an error text to show; `progress` gets the number of bytes sent. */
export function putFile(url, file, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (detail) => reject(new Error(t.uploadFailed(file.name, detail)));
    const cancel = () => {
      request.abort();
      reject(new Error(t.uploadCancelled));
    };
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    request.open('PUT', url);
    request.upload.addEventListener('progress', ({ loaded }) => progress(Math.min(loaded, file.size)));
    request.addEventListener('error', () => fail());
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) return resolve();
      const error = errorIn(request.responseText);
      if (error) reject(new Error(error));
      else fail(`HTTP ${request.status}`);
    });
    request.send(file);
  });
}

function errorIn(body) {
  try { return JSON.parse(body).error; } catch { return null; }
}
