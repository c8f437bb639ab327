// What a phone keeps until it is sent: forms with their files, in IndexedDB, in the order they were written.
const open = () => new Promise((done, fail) => {
  const r = indexedDB.open('rehu', 1)
  r.onupgradeneeded = () => r.result.createObjectStore('outbox', { keyPath: 'id', autoIncrement: true })
  r.onsuccess = () => done(r.result)
  r.onerror = () => fail(r.error)
})

async function run(mode, fn) {
  const db = await open()
  try {
    return await new Promise((done, fail) => {
      const t = db.transaction('outbox', mode)
      const r = fn(t.objectStore('outbox'))
      t.oncomplete = () => done(r.result)
      t.onerror = t.onabort = () => fail(t.error)
    })
  } finally {
    db.close()
  }
}

export const all = () => run('readonly', s => s.getAll())
export const put = item => run('readwrite', s => s.put(item))
export const drop = id => run('readwrite', s => s.delete(id))
