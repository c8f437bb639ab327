// Makes photographs small before they are sent (long edge 1600, JPEG), which also leaves out where they were taken.
// Without it, or when a file cannot be read, the original goes.
const EDGE = 1600

// Kernels before Chrome 81 draw a photograph as the sensor saw it, and writing it anew drops the note that says which way is
// up; the server turns the original.
const upright = () => window.CSS && CSS.supports('image-orientation', 'from-image')

async function small(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || !window.createImageBitmap || !upright()) return file
  try {
    const image = await createImageBitmap(file)
    const k = Math.min(1, EDGE / Math.max(image.width, image.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(image.width * k)
    canvas.height = Math.round(image.height * k)
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', 0.8))
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' }) : file
  } catch {
    return file
  }
}

async function shrink(input) {
  const list = new DataTransfer()
  const most = Number(input.dataset.photo) || 3
  const show = document.getElementById(input.id + '-shots')
  if (show) show.textContent = ''
  for (const file of [...input.files].slice(0, most)) {
    const one = await small(file)
    list.items.add(one)
    if (!show) continue
    const img = document.createElement('img')
    img.src = URL.createObjectURL(one)
    img.alt = one.name
    show.append(img)
  }
  input.files = list.files
  input.dispatchEvent(new Event('input', { bubbles: true })) // for the draft on the phone
}

export function once() {
  document.addEventListener('change', e => {
    if (e.target.matches && e.target.matches('input[data-photo]') && window.DataTransfer) shrink(e.target)
  })
}
if (!document.querySelector('script[src*="boot.js"]')) once()
