// The service worker of field workers' pages: a page that was open once, or that the list fetched, opens again without a
// network. Network first, so that nobody works from an old page while there is one. Pages are kept for one shift and
// dropped when the login ends: they hold addresses. PRECACHE is written above by the server: the files that pages use.
const PAGES = 'pages', FILES = 'files'
const SHIFT = 16 * 3600 * 1000
const files = self.PRECACHE || []
const AWAY = '/f/offline'

self.addEventListener('install', e => {
  self.skipWaiting()
  e.waitUntil(caches.open(FILES).then(c => Promise.all(files.map(f => c.add(f).catch(() => {})))))
})
self.addEventListener('activate', e => e.waitUntil(tidy().then(() => self.clients.claim())))

const keptAt = r => Number(r && r.headers.get('x-kept'))

// tidy drops the pages of a shift that is over.
async function tidy() {
  const cache = await caches.open(PAGES)
  for (const k of await cache.keys()) if (Date.now() - keptAt(await cache.match(k)) > SHIFT) await cache.delete(k)
}

async function keep(url, response) {
  const headers = new Headers(response.headers)
  headers.delete('content-encoding') // the body is unpacked
  headers.set('x-kept', String(Date.now()))
  const copy = new Response(await response.clone().blob(), { status: 200, headers })
  await (await caches.open(PAGES)).put(url, copy)
}

const plain = url => url.split('#')[0].replace(/[?&]kept=1/, '')

async function page(request) {
  try {
    const response = await fetch(request)
    if (response.type === 'opaqueredirect') await caches.delete(PAGES) // most likely to the login
    else if (response.ok && !request.url.endsWith(AWAY) && !/no-store/.test(response.headers.get('cache-control') || '')) await keep(plain(request.url), response)
    return response
  } catch (err) {
    const cache = await caches.open(PAGES)
    const old = await cache.match(plain(request.url)) || await cache.match(plain(request.url).split('?')[0])
    if (old && Date.now() - keptAt(old) <= SHIFT) return old
    const away = await (await caches.open(FILES)).match(AWAY)
    if (away) return away
    throw err
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
    for (const k of await cache.keys()) if (!k.url.includes(hash) && !k.url.endsWith(AWAY)) await cache.delete(k)
    await cache.put(request, response.clone())
  }
  return response
}

// gather fetches the pages of a list, and the forms that they lead to; it gives how many are here.
async function gather(urls) {
  await tidy()
  const cache = await caches.open(PAGES)
  const todo = urls.map(u => ({ u, forms: true }))
  let n = 0
  for (let next = todo.shift(); next; next = todo.shift()) {
    const response = await fetch(next.u, { headers: { Accept: 'text/html' }, redirect: 'manual' })
    if (!response.ok) continue
    const words = next.forms ? await response.clone().text() : ''
    await keep(next.u, response)
    n++
    for (const m of words.matchAll(/<a[^>]* href="([^"]+)"[^>]* data-form/g)) todo.push({ u: new URL(m[1], next.u).href, forms: false })
  }
  return Math.max(n, (await cache.keys()).length)
}

self.addEventListener('message', e => {
  if (!e.data || !e.data.keep) return
  const say = n => e.source && e.source.postMessage({ kept: n })
  e.waitUntil(gather(e.data.keep).then(say, () => {})) // no network: what is here stays
})

self.addEventListener('fetch', e => {
  const { request } = e
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname.startsWith('/static/')) e.respondWith(file(request))
  else if (request.mode === 'navigate') e.respondWith(page(request))
})
