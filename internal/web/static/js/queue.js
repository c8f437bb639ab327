// Forms of field workers that must not be lost: a form with data-queue is kept on the phone first and sent when there is a
// network: at once, when it comes back, when the page is shown again and when a page is opened. Each has its own key, so
// that the server does it once, however often it arrives. What the server refuses stays, with the reason, to be corrected;
// what somebody else did meanwhile is shown beside it.
import { all, put, drop, dropDraft, tidy, who } from './outbox.js'
import { read, write } from './fill.js'
import { freshKey } from './upload.js'
import { send } from './send.js'
import { show } from './pending.js'

let sending = false
const mine = item => (item.who || '') === who()
const waits = item => !item.state || item.state === 'waiting' || item.state === 'wait'

// flush sends what waits, oldest first; a network that fails ends it, a refusal does not.
export async function flush() {
  if (sending) return
  sending = true
  let login = false
  try {
    for (const item of (await all()).filter(i => mine(i) && waits(i))) {
      const got = await send(item, part => show({ busy: item.id, part }))
      const next = Object.assign({}, item, got, { wrong: got.message || '', heard: Date.now() })
      if (got.state === 'received') next.fields = [] // what is safe there need not stay here
      await put(next)
      document.dispatchEvent(new CustomEvent('rehu:sent', { detail: { item: next } }))
    }
  } catch (e) { // no network: the next occasion tries again
    login = /log in/.test(e.message)
  } finally {
    sending = false
    await show({ login })
  }
}

async function keep(form, button) {
  const key = freshKey() // a page that was kept holds an old key
  const fields = read(form, button).filter(f => f[0] !== '_key').concat([['_key', key]])
  for (const f of fields) if (f[2] !== undefined) f.push(freshKey())
  const item = {
    key, fields, who: who(), state: 'waiting', url: new URL(form.getAttribute('action'), location.href).href,
    multipart: form.enctype === 'multipart/form-data', uploads: document.documentElement.dataset.uploads || '',
    page: location.pathname + location.search, title: form.dataset.queue || document.title, at: Date.now(),
  }
  const id = await put(item)
  if (form.dataset.kept) await drop(Number(form.dataset.kept))
  delete form.dataset.kept
  await dropDraft(form.getAttribute('action'))
  await flush()
  const left = (await all()).find(i => i.id === id)
  if ((!left || left.state === 'received' || waits(left)) && form.dataset.then) location.assign(form.dataset.then)
  else if (!left || left.state === 'received' || waits(left)) form.reset()
  else await refill(id)
}

// refill puts what was refused back into its form, with what somebody else did beside it.
async function refill(kept) {
  const id = kept || Number((location.hash.match(/^#kept-(\d+)$/) || [])[1])
  const form = document.querySelector('form[data-queue]')
  const item = form && id && (await all()).find(i => i.id === id)
  if (!item || !mine(item)) return
  form.dataset.kept = String(id)
  write(form, item.fields)
  const set = (name, value) => { const el = form.querySelector(`[name="${name}"]`); if (el && value) el.value = value }
  set('_seen', item.seen)
  set('_beside', item.beside ? 'yes' : '')
  beside(item)
}

// beside shows the other version.
function beside(item) {
  const box = document.querySelector('[data-theirs]')
  if (!box || !(item.theirs || []).length) return
  const list = box.querySelector('ul')
  list.textContent = ''
  for (const t of item.theirs) {
    const li = document.createElement('li')
    const b = document.createElement('b')
    b.textContent = `${t.at} ${t.title}`
    li.append(b, ` ${t.who}`)
    for (const fact of t.facts || []) li.append(document.createElement('br'), fact)
    list.append(li)
  }
  box.hidden = false
  box.scrollIntoView({ block: 'start' })
}

export function once() {
  document.addEventListener('submit', e => {
    if (!e.target.matches('form[data-queue]') || !window.indexedDB) return
    e.preventDefault()
    keep(e.target, e.submitter || undefined).catch(() => e.target.submit()) // the phone cannot keep it: send it the plain way
  })
  document.addEventListener('click', async e => {
    const b = e.target.closest && e.target.closest('[data-drop-item]')
    if (!b) return
    if (b.dataset.sure) { await drop(Number(b.dataset.dropItem)); return show() }
    b.dataset.sure = 'yes' // the second press means it
    b.textContent = document.querySelector('[data-outbox]').dataset.really
  })
  addEventListener('online', flush)
  addEventListener('offline', () => show())
  addEventListener('hashchange', () => refill())
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && flush())
  if ('serviceWorker' in navigator) navigator.serviceWorker.register('/f/sw.js', { scope: '/f/' }).catch(() => {})
  tidy().catch(() => {}).then(flush)
  refill()
}
