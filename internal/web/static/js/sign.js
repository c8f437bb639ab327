// A signature drawn with a finger: the strokes are kept as points of a field of 1000 by 400 ("x,y x,y;x,y"), so that they
// are drafted and sent with the form and can be drawn again. What is not drawn is not sent.
const W = 1000, H = 400

function pen(canvas) {
  const field = document.getElementById(canvas.dataset.sign)
  const ctx = canvas.getContext('2d')
  let stroke = null

  const spot = e => {
    const box = canvas.getBoundingClientRect()
    return [Math.round((e.clientX - box.left) * W / box.width), Math.round((e.clientY - box.top) * H / box.height)]
  }
  const draw = points => {
    ctx.beginPath()
    points.forEach((p, i) => i ? ctx.lineTo(p[0], p[1]) : ctx.moveTo(p[0], p[1]))
    if (points.length === 1) ctx.lineTo(points[0][0] + 1, points[0][1])
    ctx.stroke()
  }
  const redraw = () => {
    canvas.width = W
    canvas.height = H
    ctx.lineWidth = 6
    ctx.lineCap = ctx.lineJoin = 'round'
    ctx.strokeStyle = '#14202e'
    for (const s of field.value.split(';')) if (s) draw(s.split(' ').map(p => p.split(',').map(Number)))
  }
  const told = () => field.dispatchEvent(new Event('input', { bubbles: true }))

  canvas.addEventListener('pointerdown', e => {
    e.preventDefault()
    if (canvas.setPointerCapture) canvas.setPointerCapture(e.pointerId)
    stroke = [spot(e)]
    draw(stroke)
  })
  canvas.addEventListener('pointermove', e => {
    if (!stroke) return
    stroke.push(spot(e))
    draw(stroke.slice(-2))
  })
  for (const end of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(end, () => {
      if (!stroke) return
      field.value += (field.value ? ';' : '') + stroke.map(p => p.join(',')).join(' ')
      stroke = null
      told()
    })
  }
  if (field.form) {
    field.form.addEventListener('refilled', redraw)
    field.form.addEventListener('reset', () => setTimeout(() => { field.value = ''; redraw() }))
  }
  const clear = document.querySelector(`[data-unsign="${field.id}"]`)
  if (clear) clear.addEventListener('click', () => { field.value = ''; redraw(); told() })
  redraw()
}

export function start(root) {
  for (const canvas of root.querySelectorAll('canvas[data-sign]:not([data-pen])')) {
    canvas.dataset.pen = 'yes'
    pen(canvas)
  }
}
