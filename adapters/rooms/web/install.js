// Registers the service worker, which makes the page installable as an app. Without it everything else works.
export function registerWorker() {
  navigator.serviceWorker?.register('/service-worker.js').catch(() => {}); // refused without a secure context
}
