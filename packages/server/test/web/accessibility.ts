// SPDX-License-Identifier: Apache-2.0
/**
 * What can be told of WCAG 2.2 AA by a machine, run inside the page: contrast of texts and of fields' borders, names of
 * controls, one main heading, no sideways scrolling, targets large enough. Gives what is wrong, in words.
 */
export function auditPage(): string[] {
  const wrong: string[] = []
  const isShown = (element: Element) => {
    const box = element.getBoundingClientRect()
    return box.width > 1 && box.height > 1 && getComputedStyle(element).visibility === 'visible'
  }
  const nameOf = (element: Element) =>
    `<${element.tagName.toLowerCase()}> ${element.textContent?.trim().slice(0, 40) ?? ''}`

  const channels = (color: string) => [...color.matchAll(/[\d.]+/g)].map(([part]) => Number(part))
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = channels(color).map(part => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (one: string, other: string) => {
    const [a, b] = [luminance(one), luminance(other)]
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
  }
  const groundOf = (element: Element | null): string => {
    for (let each = element; each !== null; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each)
      if (channels(backgroundColor)[3] !== 0) return backgroundColor
    }
    return 'rgb(255, 255, 255)'
  }

  // 1.4.3: text.
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some(
      node => node.nodeType === 3 && node.textContent?.trim() !== '',
    )
    if (!hasText || !isShown(element)) continue
    const style = getComputedStyle(element)
    const size = Number.parseFloat(style.fontSize)
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5
    const found = contrast(style.color, groundOf(element))
    if (found < least) wrong.push(`contrast ${found.toFixed(2)}: ${nameOf(element)}`)
  }
  // 1.4.11: the frame of a field; 4.1.2 and 3.3.2: its name.
  for (const field of document.querySelectorAll('input:not([type=hidden]), textarea, select')) {
    if (!isShown(field)) continue
    const found = contrast(getComputedStyle(field).borderTopColor, groundOf(field.parentElement))
    if (!field.matches('[type=checkbox], [type=radio]') && found < 3)
      wrong.push(`frame ${found.toFixed(2)}: ${field.id || field.getAttribute('name')}`)
    const labels = (field as HTMLInputElement).labels?.length ?? 0
    if (labels === 0 && !field.hasAttribute('aria-label'))
      wrong.push(`no label: ${field.outerHTML.slice(0, 80)}`)
  }
  for (const control of document.querySelectorAll('a[href], button')) {
    if (!control.hasAttribute('aria-label') && control.textContent?.trim() === '')
      wrong.push(`no name: ${control.outerHTML.slice(0, 80)}`)
    // 2.5.8: links within a text are excepted.
    const { height } = control.getBoundingClientRect()
    if (isShown(control) && control.tagName === 'BUTTON' && height < 24)
      wrong.push(`${height} px high: ${nameOf(control)}`)
  }
  // 1.3.1 and 2.4.6: headings in order.
  const levels = [...document.querySelectorAll('main h1, main h2, main h3, main h4, main h5, main h6')].map(
    each => Number(each.tagName[1]),
  )
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not exactly one h1')
  for (const [index, level] of levels.entries())
    if (index > 0 && level > (levels[index - 1] ?? 0) + 1) wrong.push(`h${level} after h${levels[index - 1]}`)
  // 1.4.10: no scrolling in two directions.
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth) wrong.push(`${scrollWidth - clientWidth} px too wide`)
  // 2.1.1: what scrolls can be reached.
  for (const table of document.querySelectorAll('table'))
    if (table.closest('.scroll, .readme') === null) wrong.push('a table outside of a scrolling box')
  for (const box of document.querySelectorAll<HTMLElement>('.scroll, .snippet pre'))
    if (box.tabIndex < 0) wrong.push('a scrolling box without focus')
  // 3.1.1, 2.4.2.
  if (document.documentElement.lang === '' || document.title === '') wrong.push('no language or no title')
  const ids = [...document.querySelectorAll('[id]')].map(each => each.id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`twice: #${id}`)
  return wrong
}
