// Shows whether live updates arrive, and fetches everything again after a break.
let broken = false

function set(state) {
  for (const el of document.querySelectorAll('[data-live]')) {
    el.dataset.state = state
    el.textContent = el.dataset[state]
    el.hidden = false
  }
}

document.addEventListener('htmx:sseOpen', () => {
  set('on')
  if (!broken) return
  broken = false
  const again = document.querySelector('[data-refresh]') // an element with hx-trigger="refresh"
  if (again && window.htmx) window.htmx.trigger(again, 'refresh')
})

document.addEventListener('htmx:sseError', () => {
  broken = true
  set('off')
})
