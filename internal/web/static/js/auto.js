// A filter that is chosen from a list applies at once; without this script its button does.
export function once() {
  document.addEventListener('change', e => {
    const form = e.target.closest('form[data-auto]')
    if (form && (e.target.tagName === 'SELECT' || e.target.type === 'checkbox')) form.requestSubmit()
  })
}
