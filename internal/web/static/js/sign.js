// A signature drawn with a finger: a canvas whose strokes become a small picture in a hidden field (data-drawn), so that it
// is drafted and sent with the form. What is not drawn is not sent.
function pen(canvas) {
  const field = document.getElementById(canvas.dataset.sign)
  const ctx = canvas.getContext('2d')
  let down = false

  const size = () => {
    canvas.width = canvas.clientWidth * 2
    canvas.height = canvas.clientHeight * 2
    ctx.lineWidth = 5
    ctx.lineCap = ctx.lineJoin = 'round'
    ctx.strokeStyle = '#14202e'
  }
  const spot = e => {
    const box = canvas.getBoundingClientRect()
    return [(e.clientX - box.left) * canvas.width / box.width, (e.clientY - box.top) * canvas.height / box.height]
  }
  const done = () => {
    if (!down) return
    down = false
    field.value = canvas.toDataURL('image/png')
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  const back = () => { // from a draft, or nothing
    size()
    if (!field.value) return
    const img = new Image()
    img.onload = () => ctx.drawImage(img, 0, 0, canvas.width, canvas.height)
    img.src = field.value
  }

  canvas.addEventListener('pointerdown', e => {
    e.preventDefault()
    if (canvas.setPointerCapture) canvas.setPointerCapture(e.pointerId)
    down = true
    ctx.beginPath()
    ctx.moveTo(...spot(e))
    ctx.lineTo(...spot(e))
    ctx.stroke()
  })
  canvas.addEventListener('pointermove', e => {
    if (!down) return
    ctx.lineTo(...spot(e))
    ctx.stroke()
  })
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) canvas.addEventListener(end, done)
  if (field.form) {
    field.form.addEventListener('refilled', back)
    field.form.addEventListener('reset', () => setTimeout(() => { field.value = ''; back() }))
  }
  const clear = document.querySelector(`[data-unsign="${field.id}"]`)
  if (clear) clear.addEventListener('click', () => {
    field.value = ''
    back()
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
  back()
}

export function start(root) {
  for (const canvas of root.querySelectorAll('canvas[data-sign]:not([data-pen])')) {
    canvas.dataset.pen = 'yes'
    pen(canvas)
  }
}
