// Copies what stands in an element to the clipboard.
export function once() {
  document.addEventListener('click', async e => {
    const button = e.target.closest('[data-copy]')
    const from = button && document.getElementById(button.dataset.copy)
    if (!from) return
    try {
      await navigator.clipboard.writeText(from.textContent.trim())
      document.dispatchEvent(new CustomEvent('rehu:toast', { detail: { message: button.dataset.done } }))
    } catch { // no right to the clipboard: select, so that the reader can press Ctrl+C
      getSelection().selectAllChildren(from)
    }
  })
}
