// The service worker of field workers' pages: a page that was open once opens again without a network. Network first, so
// that nobody works from an old page while there is one. Pages are kept for one shift and dropped when the login ends:
// they hold addresses.
const PAGES = 'pages', FILES = 'files'
const SHIFT = 16 * 3600 * 1000

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', e => e.waitUntil(self.clients.claim()))

async function keep(request, response) {
  const headers = new Headers(response.headers)
  headers.delete('content-encoding') // the body is unpacked
  headers.set('x-kept', String(Date.now()))
  const copy = new Response(await response.clone().blob(), { status: 200, headers })
  await (await caches.open(PAGES)).put(request.url, copy)
}

async function page(request) {
  try {
    const response = await fetch(request)
    if (response.type === 'opaqueredirect') await caches.delete(PAGES) // most likely to the login
    else if (response.ok) await keep(request, response)
    return response
  } catch (err) {
    const old = await (await caches.open(PAGES)).match(request.url)
    if (!old || Date.now() - Number(old.headers.get('x-kept')) > SHIFT) throw err
    return old
  }
}

// Files carry a hash in their address and never change; those of the program before are dropped.
async function file(request) {
  const cache = await caches.open(FILES)
  const old = await cache.match(request)
  if (old) return old
  const response = await fetch(request)
  if (response.ok) {
    const hash = new URL(request.url).pathname.split('/')[2]
    for (const k of await cache.keys()) if (!k.url.includes(hash)) await cache.delete(k)
    await cache.put(request, response.clone())
  }
  return response
}

self.addEventListener('fetch', e => {
  const { request } = e
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  if (new URL(request.url).pathname.startsWith('/static/')) e.respondWith(file(request))
  else if (request.mode === 'navigate') e.respondWith(page(request))
})
