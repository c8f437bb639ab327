// Puts the shift's orders on the phone: the worker fetches every page that the list leads to, with its forms, so that they
// open without a network.
export function start(root) {
  const lists = root.querySelectorAll('[data-keep]')
  if (!lists.length || !('serviceWorker' in navigator)) return
  const pages = []
  for (const list of lists) for (const a of list.querySelectorAll('a[href]')) pages.push(a.href)
  pages.push(location.href)
  navigator.serviceWorker.addEventListener('message', e => {
    const note = document.querySelector('[data-kept-note]')
    if (!note || !e.data || e.data.kept === undefined) return
    note.textContent = note.dataset.keptNote.replace('{n}', e.data.kept)
    note.hidden = false
  })
  navigator.serviceWorker.ready.then(r => r.active && r.active.postMessage({ keep: pages }))
}
