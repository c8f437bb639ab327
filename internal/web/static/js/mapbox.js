// Loads the map only when its box comes into view: most visits never need it.
const watch = new IntersectionObserver(async seen => {
  for (const one of seen.filter(s => s.isIntersecting)) {
    watch.unobserve(one.target)
    const { draw } = await import('./map.js')
    draw(one.target).catch(() => one.target.classList.add('failed'))
  }
})

export function start(root) {
  for (const box of root.querySelectorAll('[data-map]:not([data-seen])')) {
    box.dataset.seen = 'true'
    watch.observe(box)
  }
}
