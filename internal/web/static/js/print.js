// A button that prints the page.
export function once() {
  document.addEventListener('click', e => {
    if (e.target.closest('[data-print]')) print()
  })
}
