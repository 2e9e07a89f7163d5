// The service worker. It keeps only assets whose address has a version: they never change. Pages, messages and files
// always come from the server.
const PREFIX = 'palabre-assets-';
const VERSIONED = /^\/assets\/([0-9a-f]{16})\//;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  const version = url.origin === self.location.origin && VERSIONED.exec(url.pathname)?.[1];
  if (version && event.request.method === 'GET') event.respondWith(asset(event.request, PREFIX + version));
});

async function asset(request, name) {
  const cache = await caches.open(name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) {
    await cache.put(request, answer.clone());
    await removeOthers(name);
  }
  return answer;
}

/** Removes the assets of other versions: the page has been updated. */
async function removeOthers(name) {
  const names = await caches.keys();
  await Promise.all(names.filter((other) => other.startsWith(PREFIX) && other !== name)
    .map((other) => caches.delete(other)));
}

/** A notification that the page could not show by itself. */
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.matchAll({ type: 'window' }).then(([client]) => client?.focus()));
});
