// A form is sent once: its buttons rest while it is on its way, and wake when the reader comes back to the page.
const buttons = form => form.querySelectorAll('button:not([type=button])')

function wake() {
  for (const b of document.querySelectorAll('button[aria-busy]')) {
    b.removeAttribute('aria-busy')
    b.disabled = false
  }
}

export function once() {
  document.addEventListener('submit', e => {
    if (e.target.matches('[data-queue]') || e.defaultPrevented && !e.target.hasAttribute('hx-post')) return
    setTimeout(() => { // after the browser has read the pressed button's value
      for (const b of buttons(e.target)) {
        b.setAttribute('aria-busy', 'true')
        b.disabled = true
      }
    })
  })
  addEventListener('pageshow', wake)
  document.addEventListener('htmx:afterRequest', wake)
  document.addEventListener('htmx:beforeSwap', e => { // somebody was first: the form comes back with what was typed
    if (e.detail.xhr.status === 409 && e.detail.xhr.getResponseHeader('Rehu-Form')) {
      e.detail.shouldSwap = true
      e.detail.isError = false
    }
  })
}

export function start(root) {
  const first = root.querySelector('[data-summary]')
  if (first) first.focus()
}
