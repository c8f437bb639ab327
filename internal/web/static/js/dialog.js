// Opens a dialog, puts the cursor into what it asks for, and closes it again. Without this script the same button is a
// link to the dialog's address, which shows it.
export function once() {
  document.addEventListener('click', e => {
    const opener = e.target.closest('[data-open]')
    if (opener) {
      const box = document.getElementById(opener.dataset.open)
      if (!box || !box.showModal) return
      e.preventDefault()
      if (!box.open) box.showModal()
      const field = box.querySelector('textarea, input:not([type=hidden]), select')
      if (field) field.focus()
      return
    }
    const closer = e.target.closest('[data-close]')
    const box = closer && closer.closest('dialog')
    if (box && box.open) {
      e.preventDefault()
      box.close()
    }
  })
}

// A form that came back with messages is shown again at once.
export function start(root) {
  for (const box of root.querySelectorAll('dialog[data-reopen]')) {
    if (!box.open && box.showModal) box.showModal()
  }
}
