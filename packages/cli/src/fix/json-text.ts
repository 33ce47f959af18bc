// SPDX-License-Identifier: Apache-2.0
/** Changes a value in the text of JSON and leaves every other character as it is. */

interface Span {
  readonly start: number
  readonly end: number
}

/** The text with a string at a path; objects on the way that are not there are made. Throws `SyntaxError` where the text is no JSON. */
export function setJsonText(text: string, path: readonly string[], value: string): string {
  JSON.parse(text)
  const found = findSpan(text, path)
  if (found !== undefined) return text.slice(0, found.start) + JSON.stringify(value) + text.slice(found.end)
  // The deepest object that is there takes the rest.
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const span = findSpan(text, path.slice(0, depth))
    if (span !== undefined && text[span.start] === '{')
      return addMember(text, span, path.slice(depth), value, depth)
  }
  throw new SyntaxError('there is no object to put it into')
}

function addMember(
  text: string,
  { start, end }: Span,
  path: readonly string[],
  value: string,
  depth: number,
): string {
  const unit = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const close = end - 1
  const before = text.slice(start + 1, close).trimEnd()
  const isInline = !text.includes('\n')
  const pad = (level: number) => (isInline ? '' : newline + unit.repeat(level))
  const [first = '', ...rest] = path
  const body = rest.reduceRight<(level: number) => string>(
    (inner, key) => level => `{${pad(level + 1)}${JSON.stringify(key)}: ${inner(level + 1)}${pad(level)}}`,
    () => JSON.stringify(value),
  )
  const member = `${pad(depth + 1)}${JSON.stringify(first)}: ${body(depth + 1)}`
  return `${text.slice(0, start + 1)}${before}${before === '' ? '' : ','}${member}${pad(depth)}${text.slice(close)}`
}

/** Where the value at a path stands. */
function findSpan(text: string, path: readonly string[]): Span | undefined {
  let start = skipSpace(text, 0)
  for (const key of path) {
    const next = text[start] === '{' ? findMember(text, start, key) : undefined
    if (next === undefined) return undefined
    start = next
  }
  return { start, end: endOfValue(text, start) }
}

/** The start of a member's value; the last one counts, as for JSON.parse. */
function findMember(text: string, object: number, key: string): number | undefined {
  let found: number | undefined
  for (let at = skipSpace(text, object + 1); text[at] === '"'; ) {
    const end = endOfValue(text, at)
    const start = skipSpace(text, skipSpace(text, end) + 1)
    if (JSON.parse(text.slice(at, end)) === key) found = start
    at = skipSpace(text, endOfValue(text, start))
    if (text[at] !== ',') break
    at = skipSpace(text, at + 1)
  }
  return found
}

function endOfValue(text: string, start: number): number {
  const word = /"(?:[^"\\]|\\.)*"|[{[\]}]|[^\s,{}[\]"]+/y
  for (let at = start, depth = 0; ; ) {
    word.lastIndex = at
    const [token] = word.exec(text) ?? []
    if (token === undefined) at += 1
    else {
      at += token.length
      if (token === '{' || token === '[') depth += 1
      if (token === '}' || token === ']') depth -= 1
      if (depth === 0) return at
    }
    if (at > text.length) return text.length
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (/\s/.test(text[at] ?? '')) at += 1
  return at
}
