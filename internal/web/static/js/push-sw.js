// The service worker of residents' notifications. It shows what the server sent, says so, and opens the page on a tap.
// It keeps nothing and answers no request of a page.
self.addEventListener('install', () => self.skipWaiting())

const own = path => /^\/c\/\d+\/m\//.test(path)

async function shown(m) {
  await self.registration.showNotification(m.title, { body: m.text, lang: m.lang, tag: m.key, data: { open: m.open } })
  if (own(m.tell)) await fetch(m.tell, { method: 'POST', body: new URLSearchParams({ key: m.key, proof: m.proof }) }).catch(() => {})
}

async function opened(path) {
  if (!own(path)) return
  for (const page of await self.clients.matchAll({ type: 'window', includeUncontrolled: true })) {
    if (new URL(page.url).pathname === path) return page.focus()
  }
  return self.clients.openWindow(path)
}

self.addEventListener('push', e => e.waitUntil(shown(e.data.json())))
self.addEventListener('notificationclick', e => {
  e.notification.close()
  e.waitUntil(opened(e.notification.data.open))
})
