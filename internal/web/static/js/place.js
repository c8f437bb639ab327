// The phone's own clock and place, kept with a form as evidence. The clock is set right by the last page that came from the
// server: a phone whose clock is wrong still says how long ago a form was finished. The place is asked for where a form
// wants it, and a form without one goes all the same.
function offset() {
  const now = Number(document.documentElement.dataset.now)
  try {
    const kept = JSON.parse(localStorage.getItem('rehu-clock') || 'null')
    if (now && !(kept && kept.now >= now)) { // a page that was kept on the phone is older than the last one
      localStorage.setItem('rehu-clock', JSON.stringify({ now, local: Date.now() }))
      return now - Date.now()
    }
    return kept ? kept.now - kept.local : 0
  } catch {
    return 0
  }
}

export const instant = () => new Date(Date.now() + offset()).toISOString()

function locate(box) {
  const say = (name, n) => { box.querySelector('[role=status]').textContent = box.dataset[name].replace('{n}', n) }
  box.hidden = false
  if (!navigator.geolocation) return say('none')
  say('ask')
  navigator.geolocation.getCurrentPosition(p => {
    const { longitude, latitude, accuracy } = p.coords
    for (const [name, value] of [['lng', longitude], ['lat', latitude], ['accuracy', Math.round(accuracy)]]) {
      box.querySelector(`[name="device.${name}"]`).value = String(value)
    }
    say('got', Math.round(accuracy))
  }, () => say('none'), { enableHighAccuracy: true, timeout: 20000, maximumAge: 60000 })
}

export function once() {
  offset()
  document.addEventListener('submit', e => {
    if (e.target.dataset.kept) return // it was finished before
    for (const el of e.target.querySelectorAll('[data-made]')) el.value = instant()
  }, true)
}

export function start(root) {
  for (const box of root.querySelectorAll('[data-place]')) locate(box)
}
