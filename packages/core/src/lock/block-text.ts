// SPDX-License-Identifier: Apache-2.0
/** The part of YAML that pnpm and yarn write into lock files: blocks by indentation, quoted words, short lists and maps in one line. */

/** What a block holds. Maps, since names of strangers are its keys. */
export type Block = string | readonly Block[] | BlockMap
export type BlockMap = ReadonlyMap<string, Block>

interface Line {
  readonly indent: number
  readonly text: string
}

const maxDepth = 100

/** Reads blocks; what is none of them is passed over. `splitLine` parts a line into key and value, by default at a colon. */
export function readBlocks(text: string, splitLine: SplitLine = splitAtColon): BlockMap {
  const lines = toLines(text)
  const reader = { lines, at: 0, splitLine }
  return readMap(reader, 0, 0)
}

/** A line's key and the value beside it, which is undefined where a block follows. */
export type SplitLine = (
  line: string,
) => { readonly key: string; readonly value: string | undefined } | undefined

interface Reader {
  readonly lines: readonly Line[]
  at: number
  readonly splitLine: SplitLine
}

function toLines(text: string): readonly Line[] {
  return text.split(/\r?\n/).flatMap(raw => {
    const rest = raw.trimStart()
    return rest === '' || rest.startsWith('#') || rest === '---'
      ? []
      : [{ indent: raw.length - rest.length, text: rest.trimEnd() }]
  })
}

function readMap(reader: Reader, indent: number, depth: number): BlockMap {
  const map = new Map<string, Block>()
  for (let line = reader.lines[reader.at]; line !== undefined; line = reader.lines[reader.at]) {
    if (line.indent < indent) break
    reader.at += 1
    if (line.indent > indent) continue
    const entry = readEntry(reader, line)
    if (entry === undefined) continue
    map.set(
      entry.key,
      entry.value === undefined ? readInner(reader, indent, depth) : readValue(reader, entry.value, indent),
    )
  }
  return map
}

function readEntry(reader: Reader, line: Line): { key: string; value: string | undefined } | undefined {
  if (!line.text.startsWith('? ')) return reader.splitLine(line.text)
  // A key that is too long for its line: the next one begins with the colon.
  const next = reader.lines[reader.at]
  if (next?.indent !== line.indent || !next.text.startsWith(':')) return undefined
  reader.at += 1
  return { key: unquote(line.text.slice(2)), value: next.text.slice(1).trim() || undefined }
}

function readInner(reader: Reader, indent: number, depth: number): Block {
  const next = reader.lines[reader.at]
  if (next === undefined || depth >= maxDepth) return ''
  if (next.text.startsWith('- ') && next.indent >= indent) return readList(reader, next.indent)
  return next.indent > indent ? readMap(reader, next.indent, depth + 1) : ''
}

function readList(reader: Reader, indent: number): readonly Block[] {
  const list: Block[] = []
  for (let line = reader.lines[reader.at]; line !== undefined; line = reader.lines[reader.at]) {
    if (line.indent < indent || (line.indent === indent && !line.text.startsWith('- '))) break
    reader.at += 1
    if (line.indent === indent) list.push(readInline(line.text.slice(2)))
  }
  return list
}

function readValue(reader: Reader, value: string, indent: number): Block {
  if (!/^[|>][+-]?$/.test(value)) return readInline(value)
  const words: string[] = []
  for (let line = reader.lines[reader.at]; line !== undefined && line.indent > indent; ) {
    words.push(line.text)
    reader.at += 1
    line = reader.lines[reader.at]
  }
  return words.join(' ')
}

function splitAtColon(line: string): { key: string; value: string | undefined } | undefined {
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'):(?:\s+(.*))?$/.exec(line)
  if (quoted !== null) return { key: unquote(quoted[1] ?? ''), value: quoted[2] || undefined }
  const end = line.endsWith(':') && !line.includes(': ') ? line.length - 1 : line.indexOf(': ')
  if (end <= 0) return undefined
  return { key: line.slice(0, end), value: line.slice(end + 1).trim() || undefined }
}

/** A value in one line: `{integrity: x, tarball: y}`, `[a, b]`, or a word. */
function readInline(text: string): Block {
  const inner = text.slice(1, -1)
  if (text.startsWith('{') && text.endsWith('}'))
    return new Map(
      splitAtCommas(inner).flatMap(part => {
        const entry = splitAtColon(part)
        return entry === undefined ? [] : [[entry.key, unquote(entry.value ?? '')] as const]
      }),
    )
  if (text.startsWith('[') && text.endsWith(']')) return splitAtCommas(inner).map(unquote)
  return unquote(text)
}

function splitAtCommas(text: string): string[] {
  const found = text.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,"'])+/g) ?? []
  return found.map(part => part.trim()).filter(part => part !== '')
}

/** A word without its quotes. */
export function unquote(text: string): string {
  if (text.startsWith("'") && text.endsWith("'") && text.length > 1)
    return text.slice(1, -1).replaceAll("''", "'")
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}

/** The map under a key; an empty one where there is none. */
export function mapAt(map: BlockMap, key: string): BlockMap {
  const found = map.get(key)
  return found instanceof Map ? found : new Map()
}

/** The word under a key. */
export function wordAt(map: BlockMap, key: string): string | undefined {
  const found = map.get(key)
  return typeof found === 'string' && found !== '' ? found : undefined
}
