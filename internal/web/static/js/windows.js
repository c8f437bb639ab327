// Says when to read: windows closed long enough, and the room's last reading long enough ago. The city is at +08:00.
import { instant } from './place.js'

function tell(p, from, minutes) {
  p.hidden = !from
  if (!from) return
  const next = from + minutes * 60000
  const left = Math.ceil((next - Date.parse(instant())) / 60000)
  const at = new Date(next + 288e5).toISOString().slice(11, 16)
  const words = left > 0 ? p.dataset.wait.replace('{at}', at).replace('{n}', left) : p.dataset.ready
  if (p.textContent !== words) p.textContent = words // said aloud once
}

function look(form) {
  const val = (row, name) => row.querySelector(`[name$=${name}]`).value
  const last = {}
  for (const p of form.querySelectorAll('[data-windows]')) tell(p, Date.parse(val(form, 'windows_closed_since') + ':00+08:00'), p.dataset.windows)
  for (const row of form.querySelectorAll('[data-room]')) {
    const p = row.querySelector('[data-spacing]')
    const room = val(row, 'room')
    const done = val(row, 'temp_c')
    if (p) tell(p, done ? 0 : last[room || 'any'], p.dataset.spacing)
    if (done) last[room] = last.any = Date.parse(row.querySelector('[data-read-at]').value)
  }
}

export function start(root) {
  for (const p of root.querySelectorAll('[data-verdict]')) {
    const form = p.closest('form')
    for (const event of ['input', 'change', 'refilled']) form.addEventListener(event, () => look(form))
    setInterval(look, 5000, form)
    look(form)
  }
}
