// Forms of field workers that must not be lost: a form with data-queue is kept on the phone first and sent when there is a
// network: at once, when it comes back, when the page is shown again and when a page is opened. Each has its own key, so
// that the server does it once, however often it arrives. What the server refuses stays, with the reason, to be corrected.
import { all, put, drop } from './outbox.js'

const box = () => document.querySelector('[data-outbox]')
const say = (name, n) => (box().dataset[name] || '').replace('{n}', n)
let sending = false

const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')

function line(item) {
  const li = document.createElement('li')
  li.append(`${item.title} `)
  if (item.wrong) {
    const why = document.createElement('p')
    why.className = 'bad'
    why.textContent = item.wrong
    const link = document.createElement('a')
    link.href = `${item.page}#kept-${item.id}`
    link.textContent = box().dataset.correct
    link.addEventListener('click', () => setTimeout(refill))
    li.append(why, link)
  }
  return li
}

async function show() {
  const net = document.querySelector('[data-network]')
  if (net) net.textContent = navigator.onLine ? '' : net.dataset.offline
  const el = box()
  if (!el) return
  const items = await all()
  el.textContent = ''
  el.hidden = items.length === 0
  if (!items.length) return
  const refused = items.filter(i => i.wrong).length
  for (const [name, n] of [[navigator.onLine ? 'waiting' : 'offline', items.length - refused], ['refused', refused]]) {
    if (!n) continue
    const p = document.createElement('p')
    p.textContent = say(name, n)
    el.append(p)
  }
  const list = document.createElement('ul')
  list.append(...items.map(line))
  el.append(list)
}

async function send(item) {
  const body = new FormData()
  for (const [name, value, file] of item.fields) file ? body.append(name, value, file) : body.append(name, value)
  const response = await fetch(item.url, { method: 'POST', body: item.multipart ? body : new URLSearchParams(body), headers: { Accept: 'text/html', 'Idempotency-Key': item.key } })
  if (response.status === 401 || new URL(response.url).pathname === '/login') throw new Error('log in first')
  if (response.status >= 500 || response.status === 429) throw new Error(String(response.status))
  if (response.ok) return ''
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  const why = page.querySelector('[data-summary]') || page.querySelector('main p')
  return why ? why.textContent.trim().replace(/\s+/g, ' ') : String(response.status)
}

// flush sends what waits, oldest first; a network that fails ends it, a refusal does not.
export async function flush() {
  if (sending) return
  sending = true
  try {
    for (const item of (await all()).filter(i => !i.wrong)) {
      const wrong = await send(item)
      await (wrong ? put({ ...item, wrong }) : drop(item.id))
    }
  } catch { // no network: the next occasion tries again
  } finally {
    sending = false
    await show()
  }
}

async function keep(form, button) {
  const data = new FormData(form, button)
  const key = freshKey() // a page that was kept holds an old key
  data.set('_key', key)
  const fields = [...data].map(([name, value]) => value instanceof File ? [name, value, value.name] : [name, value]).filter(f => !(f[2] === '' && f[1].size === 0))
  const replaces = form.dataset.kept
  await put({
    key, fields, url: new URL(form.getAttribute('action'), location.href).href, multipart: form.enctype === 'multipart/form-data', page: location.pathname + location.search,
    title: form.dataset.queue || document.title, at: Date.now(),
  })
  if (replaces) await drop(Number(replaces))
  await flush()
  const left = (await all()).find(i => i.key === key)
  if (!left && form.dataset.then) location.assign(form.dataset.then)
  if (left && !left.wrong) form.reset()
}

// refill puts what was refused back into its form.
async function refill() {
  const id = Number((location.hash.match(/^#kept-(\d+)$/) || [])[1])
  const form = document.querySelector('form[data-queue]')
  const item = form && id && (await all()).find(i => i.id === id)
  if (!item) return
  form.dataset.kept = String(id)
  for (const [name, value, file] of item.fields) {
    if (file !== undefined || name.startsWith('_')) continue
    for (const el of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (/^(radio|checkbox)$/.test(el.type)) el.checked = el.checked || el.value === value
      else if (el.type !== 'hidden') el.value = value
    }
  }
}

export function once() {
  document.addEventListener('submit', e => {
    if (!e.target.matches('form[data-queue]') || !window.indexedDB) return
    e.preventDefault()
    keep(e.target, e.submitter).catch(() => e.target.submit()) // the phone cannot keep it: send it the plain way
  })
  addEventListener('online', flush)
  addEventListener('offline', show)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && flush())
  if ('serviceWorker' in navigator) navigator.serviceWorker.register('/f/sw.js', { scope: '/f/' }).catch(() => {})
  flush()
  refill()
}
