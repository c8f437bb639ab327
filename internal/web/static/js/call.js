// One tap calls: the number is asked for, which is recorded, and given to the telephone; it is kept nowhere.
export function once() {
  document.addEventListener('submit', async e => {
    const form = e.target
    if (!form.matches('form[data-call]')) return
    e.preventDefault()
    const note = form.querySelector('p')
    try {
      const response = await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json', 'Rehu-Queue': '1' } })
      if (!response.ok) return form.submit()
      const who = await response.json()
      const link = document.createElement('a')
      link.className = 'big'
      link.href = 'tel:' + who.phone
      link.textContent = `${who.name} ${who.phone}`
      note.textContent = ''
      note.append(link)
      location.href = link.href
    } catch {
      note.textContent = form.dataset.offline
    }
  })
}
