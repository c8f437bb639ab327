// The end of a shift: what this phone holds is wiped before the login ends. What was not sent would be lost, so the page
// says so, and the button must be pressed twice.
import { all, wipe, who } from './outbox.js'

export function once() {
  document.addEventListener('submit', async e => {
    const form = e.target
    if (!form.matches('form[data-wipe]')) return
    e.preventDefault()
    const unsent = (await all().catch(() => [])).filter(i => i.state !== 'received' && (i.who || '') === who()).length
    const button = form.querySelector('button')
    if (unsent && !form.dataset.sure) {
      form.dataset.sure = 'yes'
      const note = form.querySelector('[data-warning]')
      note.textContent = form.dataset.unsent.replace('{n}', unsent)
      note.hidden = false
      button.textContent = form.dataset.anyway
      button.disabled = false
      button.removeAttribute('aria-busy')
      return
    }
    await wipe().catch(() => {})
    form.submit()
  })
}
