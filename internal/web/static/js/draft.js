// Drafts: what is typed into a form of the field is kept on the phone while it is typed, photographs too, and is there
// again when the form is opened again. Sending it, or pressing the button beside it, drops it.
import { putDraft, draftOf, dropDraft, who } from './outbox.js'
import { read, write } from './fill.js'

const later = new Map()
const name = form => form.getAttribute('action')

function note(form, at) {
  let p = form.querySelector('.draft')
  if (!p) {
    p = document.createElement('p')
    p.className = 'draft'
    p.setAttribute('role', 'status')
    form.insertBefore(p, form.querySelector('.acts'))
  }
  const t = new Date(at)
  p.textContent = (form.dataset.draft || '').replace('{at}', `${t.getHours()}:${String(t.getMinutes()).padStart(2, '0')}`)
  const b = document.createElement('button')
  b.type = 'button'
  b.textContent = form.dataset.undraft
  b.addEventListener('click', async () => {
    await dropDraft(name(form))
    form.reset()
    for (const el of form.querySelectorAll('[data-drawn]')) el.value = ''
    p.remove()
    form.dispatchEvent(new CustomEvent('refilled', { bubbles: true }))
  })
  p.append(b)
}

async function save(form) {
  const at = Date.now()
  await putDraft({ form: name(form), who: who(), at, fields: read(form).filter(f => !f[0].startsWith('_')) })
  note(form, at)
}

export function once() {
  if (!window.indexedDB) return
  const soon = e => {
    const form = e.target.closest && e.target.closest('form[data-queue][data-draft]')
    if (!form) return
    clearTimeout(later.get(form))
    later.set(form, setTimeout(() => save(form).catch(() => {}), 400))
  }
  document.addEventListener('input', soon)
  document.addEventListener('change', soon)
  document.addEventListener('submit', e => { clearTimeout(later.get(e.target)); later.delete(e.target) }, true)
  document.addEventListener('visibilitychange', () => { // the phone is put away
    if (document.visibilityState !== 'hidden') return
    for (const [form, timer] of later) { clearTimeout(timer); save(form).catch(() => {}) }
    later.clear()
  })
}

export async function start(root) {
  for (const form of root.querySelectorAll('form[data-queue][data-draft]')) {
    if (/^#kept-/.test(location.hash) || form.querySelector('[data-summary]')) continue
    const draft = await draftOf(name(form)).catch(() => null)
    if (!draft || draft.who !== who()) continue
    write(form, draft.fields)
    note(form, draft.at)
  }
}
