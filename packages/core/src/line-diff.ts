// SPDX-License-Identifier: Apache-2.0

/** One line of a comparison: in both, only in the old text, or only in the new one. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Changed lines with what stands around them. Numbers of lines begin at 1. */
export interface Hunk {
  readonly beforeLine: number
  readonly afterLine: number
  readonly lines: readonly DiffLine[]
}

/** A step of the way from one text to the other: so many lines of one kind. */
interface Run {
  readonly kind: DiffLine['kind']
  readonly count: number
}

const contextLines = 3
/** Two texts that differ by more lines than this are shown as one taken out and one put in: looking on costs the square of it. */
const maxEdits = 800

/** How two texts differ, line by line, with three lines around each change; work and memory are bounded. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly Hunk[] {
  return gatherHunks(compareLines(before, after), before, after)
}

function compareLines(before: readonly string[], after: readonly string[]): readonly Run[] {
  const shortest = Math.min(before.length, after.length)
  let head = 0
  while (head < shortest && before[head] === after[head]) head += 1
  let tail = 0
  while (tail < shortest - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1
  const middle = findEdits(before.slice(head, before.length - tail), after.slice(head, after.length - tail))
  return joinRuns([{ kind: 'same', count: head }, ...middle, { kind: 'same', count: tail }])
}

/** The shortest way from one text to the other (Myers, 1986), or the longest where that is long. */
function findEdits(before: readonly string[], after: readonly string[]): readonly Run[] {
  const whole: readonly Run[] = [
    { kind: 'removed', count: before.length },
    { kind: 'added', count: after.length },
  ]
  if (before.length === 0 || after.length === 0) return whole
  const reached = new Int32Array(2 * maxEdits + 3)
  const trail: Int32Array[] = []
  for (let edits = 0; edits <= maxEdits; edits += 1) {
    trail.push(reached.slice(maxEdits - edits, maxEdits + edits + 3))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = maxEdits + 1 + diagonal
      const [left = 0, right = 0] = [reached[at - 1], reached[at + 1]]
      const isDown = diagonal === -edits || (diagonal !== edits && left < right)
      let x = isDown ? right : left + 1
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1
      reached[at] = x
      if (x >= before.length && x - diagonal >= after.length)
        return walkBack(trail, before.length, after.length)
    }
  }
  return whole
}

function walkBack(trail: readonly Int32Array[], beforeLength: number, afterLength: number): readonly Run[] {
  const runs: Run[] = []
  let [x, y] = [beforeLength, afterLength]
  for (let edits = trail.length - 1; edits > 0; edits -= 1) {
    const reached = trail[edits] ?? new Int32Array()
    const diagonal = x - y
    const left = reached[edits + diagonal] ?? 0
    const right = reached[edits + diagonal + 2] ?? 0
    const isDown = diagonal === -edits || (diagonal !== edits && left < right)
    const fromX = isDown ? right : left
    const fromY = fromX - (isDown ? diagonal + 1 : diagonal - 1)
    const same = isDown ? x - fromX : x - fromX - 1
    runs.push({ kind: 'same', count: same }, { kind: isDown ? 'added' : 'removed', count: 1 })
    x = fromX
    y = fromY
  }
  runs.push({ kind: 'same', count: x })
  return runs.reverse()
}

function joinRuns(runs: readonly Run[]): readonly Run[] {
  const joined: Run[] = []
  for (const run of runs) {
    const last = joined.at(-1)
    if (run.count === 0) continue
    if (last?.kind === run.kind) joined[joined.length - 1] = { ...run, count: last.count + run.count }
    else joined.push(run)
  }
  return joined
}

function gatherHunks(
  runs: readonly Run[],
  before: readonly string[],
  after: readonly string[],
): readonly Hunk[] {
  const hunks: { beforeLine: number; afterLine: number; lines: DiffLine[] }[] = []
  let [x, y] = [0, 0]
  let isOpen = false
  for (const [index, { kind, count }] of runs.entries()) {
    if (kind === 'same') {
      const isLast = index === runs.length - 1
      const ends = isOpen ? Math.min(count, contextLines) : 0
      const isGap = isLast || count > 2 * contextLines || !isOpen
      if (isOpen) add(hunks, 'same', before.slice(x, x + (isGap ? ends : count)))
      if (isGap && !isLast) {
        const lead = Math.min(count - ends, contextLines)
        hunks.push({ beforeLine: x + count - lead + 1, afterLine: y + count - lead + 1, lines: [] })
        add(hunks, 'same', before.slice(x + count - lead, x + count))
        isOpen = true
      }
      x += count
      y += count
    } else {
      if (!isOpen) hunks.push({ beforeLine: x + 1, afterLine: y + 1, lines: [] })
      isOpen = true
      add(hunks, kind, kind === 'removed' ? before.slice(x, x + count) : after.slice(y, y + count))
      if (kind === 'removed') x += count
      else y += count
    }
  }
  return hunks
}

function add(hunks: { lines: DiffLine[] }[], kind: DiffLine['kind'], texts: readonly string[]): void {
  for (const text of texts) hunks.at(-1)?.lines.push({ kind, text })
}
