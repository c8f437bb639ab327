// What a phone keeps in IndexedDB: forms until the server has them, with their files, in the order they were written; and
// drafts of forms that are not finished. Everything belongs to whoever was logged in, and is wiped after the shift.
export const SHIFT = 16 * 3600 * 1000

const open = () => new Promise((done, fail) => {
  const r = indexedDB.open('rehu', 2)
  r.onupgradeneeded = () => {
    if (!r.result.objectStoreNames.contains('outbox')) r.result.createObjectStore('outbox', { keyPath: 'id', autoIncrement: true })
    if (!r.result.objectStoreNames.contains('drafts')) r.result.createObjectStore('drafts', { keyPath: 'form' })
  }
  r.onsuccess = () => done(r.result)
  r.onerror = () => fail(r.error)
})

async function run(store, mode, fn) {
  const db = await open()
  try {
    return await new Promise((done, fail) => {
      const t = db.transaction(store, mode)
      const r = fn(t.objectStore(store))
      t.oncomplete = () => done(r.result)
      t.onerror = t.onabort = () => fail(t.error)
    })
  } finally {
    db.close()
  }
}

export const all = () => run('outbox', 'readonly', s => s.getAll())
export const put = item => run('outbox', 'readwrite', s => s.put(item))
export const drop = id => run('outbox', 'readwrite', s => s.delete(id))

export const drafts = () => run('drafts', 'readonly', s => s.getAll())
export const draftOf = form => run('drafts', 'readonly', s => s.get(form))
export const putDraft = draft => run('drafts', 'readwrite', s => s.put(draft))
export const dropDraft = form => run('drafts', 'readwrite', s => s.delete(form))

// who is the person this phone works for: the page says it; a page that was kept for everybody does not.
export function who() {
  const here = document.documentElement.dataset.who
  try {
    if (here) localStorage.setItem('rehu-who', here)
    return here || localStorage.getItem('rehu-who') || ''
  } catch {
    return here || ''
  }
}

// tidy drops what a shift leaves behind: receipts and drafts that are old, or another person's. What was not sent stays,
// for the person who wrote it.
export async function tidy() {
  const old = x => x.at < Date.now() - SHIFT || x.who !== who()
  for (const item of await all()) if (item.state === 'received' && old(item)) await drop(item.id)
  for (const draft of await drafts()) if (old(draft)) await dropDraft(draft.form)
}

// wipe leaves nothing: the end of the shift.
export async function wipe() {
  await run('outbox', 'readwrite', s => s.clear())
  await run('drafts', 'readwrite', s => s.clear())
  if (window.caches) await caches.delete('pages')
  try {
    localStorage.removeItem('rehu-who')
    localStorage.removeItem('rehu-clock')
  } catch { /* nothing was kept there */ }
}
