// SPDX-License-Identifier: Apache-2.0

const link = /https?:\/\/[^\s<>"']+/g

/**
 * The HTML part of a letter, made from its text, so that the two can never say different things. Nothing in it is loaded
 * from anywhere: no picture, no font, no script, and no link that the text does not show.
 */
export function formatLetterHtml(text: string): string {
  const paragraphs = text.trim().split(/\n{2,}/)
  const body = paragraphs.map(each => `<p style="margin:0 0 16px">${formatParagraph(each)}</p>`).join('\n')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:24px"><div style="max-width:560px;margin:0 auto;font:16px/1.5 system-ui,sans-serif">
${body}
</div></body></html>
`
}

function formatParagraph(text: string): string {
  let at = 0
  let html = ''
  for (const found of text.matchAll(link)) {
    // A full stop after an address ends the sentence.
    const url = found[0].replace(/[.,;:!?)]+$/, '')
    const shown = toMarkup(url)
    html += `${toMarkup(text.slice(at, found.index))}<a href="${shown}" style="overflow-wrap:anywhere">${shown}</a>`
    at = found.index + url.length
  }
  return (html + toMarkup(text.slice(at))).replaceAll('\n', '<br>\n')
}

/** Names of tokens and packages stand in letters: whoever chose them must not write our HTML. */
function toMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
