// SPDX-License-Identifier: Apache-2.0
/** What changed between two versions of a package, for people who decide on it. Everything compared is a stranger's. */
import { isDeceptive, revealHidden, revealLine } from './hidden.ts'
import { diffLines, type Hunk } from './line-diff.ts'
import { compareManifests, type DiffFinding } from './manifest-diff.ts'

/** One file of a tarball. */
export interface PackageFile {
  readonly path: string
  readonly sizeBytes: number
  /** Permission bits. */
  readonly mode: number
  /** The same for the same bytes. */
  readonly digest: string
  /** Left out where the file is too large to be looked into. */
  readonly bytes?: Uint8Array
}

/** What a tarball holds, read as clients extract it. */
export interface PackageContent {
  readonly manifest: Readonly<Record<string, unknown>>
  readonly files: readonly PackageFile[]
  /** Whether an install runs code of the package. */
  readonly hasInstallScript: boolean
}

/** How the content of one file differs. `unfolded`: its lines were too long to be read, and are broken behind `;`, `{` and `}`. */
export type FileBody =
  | {
      readonly kind: 'text'
      readonly hunks: readonly Hunk[]
      readonly addedLines: number
      readonly removedLines: number
      readonly isUnfolded: boolean
      /** More follows that is not shown. */
      readonly isCut: boolean
    }
  | { readonly kind: 'binary' | 'large' | 'same' }

/** One file that is not as it was. */
export interface FileDiff {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
  /** 0 where it was not there. */
  readonly beforeBytes: number
  /** 0 where it is gone. */
  readonly afterBytes: number
  readonly body: FileBody
}

/** All that changed. */
export interface PackageDiff {
  /** What to look at, the gravest first. */
  readonly findings: readonly DiffFinding[]
  /** In the order of paths; package.json first. */
  readonly files: readonly FileDiff[]
  readonly unchangedFiles: number
  readonly beforeBytes: number
  readonly afterBytes: number
  /** More differs than is listed. */
  readonly isCut: boolean
}

/** Files larger than this are compared by their digest alone. */
export const maxComparedBytes = 1024 * 1024

const maxFiles = 1000
const maxFindings = 1000
const maxLines = 10_000
const maxFileLines = 2000
const foldedFrom = 1000
const maxLineLength = 400
const grownBytes = 64 * 1024

/** Compares two versions; without an older one everything is new. Work and result are bounded. */
export function diffPackages(before: PackageContent | undefined, after: PackageContent): PackageDiff {
  const changed = pairFiles(before?.files ?? [], after.files)
  let room = maxLines
  const files: FileDiff[] = []
  const findings = [
    ...compareManifests(before?.manifest ?? {}, after.manifest),
    ...compareWhole(before, after),
  ]
  for (const pair of changed.slice(0, maxFiles)) {
    const [file, found] = compareFile(pair, Math.min(room, maxFileLines))
    if (file.body.kind === 'text') room -= countLines(file.body.hunks)
    files.push(file)
    findings.push(...found)
  }
  return {
    findings: findings.toSorted((one, other) => rank(one) - rank(other)).slice(0, maxFindings),
    files,
    unchangedFiles: after.files.length - changed.filter(each => each.after !== undefined).length,
    beforeBytes: sumBytes(before?.files ?? []),
    afterBytes: sumBytes(after.files),
    isCut: changed.length > maxFiles || findings.length > maxFindings,
  }
}

interface Pair {
  readonly path: string
  readonly before: PackageFile | undefined
  readonly after: PackageFile | undefined
}

/** Those that differ. */
function pairFiles(before: readonly PackageFile[], after: readonly PackageFile[]): readonly Pair[] {
  const old = new Map(before.map(file => [file.path, file]))
  const now = new Map(after.map(file => [file.path, file]))
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort(byPath)
  return paths
    .map(path => ({ path, before: old.get(path), after: now.get(path) }))
    .filter(pair => pair.before?.digest !== pair.after?.digest || gainsExecution(pair))
}

function byPath(one: string, other: string): number {
  if (one === 'package.json' || other === 'package.json') return one === 'package.json' ? -1 : 1
  return one < other ? -1 : 1
}

function gainsExecution({ before, after }: Pair): boolean {
  return before !== undefined && after !== undefined && isExecutable(after) && !isExecutable(before)
}

function isExecutable({ mode }: PackageFile): boolean {
  return (mode & 0o111) !== 0
}

function compareFile(pair: Pair, room: number): readonly [FileDiff, readonly DiffFinding[]] {
  const { path, before, after } = pair
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  const [old, now] = [readText(before), readText(after)]
  const body = compareTexts(pair, old, now, room)
  const about = {
    path,
    change,
    beforeBytes: before?.sizeBytes ?? 0,
    afterBytes: after?.sizeBytes ?? 0,
  } as const
  return [{ ...about, body }, [...findInFile(pair, body, old, now)]]
}

/** The text of a file; undefined where it holds none, or nobody looked. */
function readText(file: PackageFile | undefined): string | undefined {
  if (file === undefined) return ''
  if (file.bytes === undefined || file.bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.bytes)
  } catch {
    return undefined
  }
}

function compareTexts(
  { before, after }: Pair,
  old: string | undefined,
  now: string | undefined,
  room: number,
): FileBody {
  if (before?.digest === after?.digest) return { kind: 'same' }
  if (old === undefined || now === undefined)
    return { kind: isLarge(before) || isLarge(after) ? 'large' : 'binary' }
  const isUnfolded = isFolded(old) || isFolded(now)
  const hunks = diffLines(splitLines(old, isUnfolded), splitLines(now, isUnfolded))
  const count = (kind: string) =>
    hunks.reduce((sum, hunk) => sum + hunk.lines.filter(line => line.kind === kind).length, 0)
  return {
    kind: 'text',
    hunks: cutHunks(hunks, room),
    addedLines: count('added'),
    removedLines: count('removed'),
    isUnfolded,
    isCut: countLines(hunks) > room,
  }
}

function isLarge(file: PackageFile | undefined): boolean {
  return file !== undefined && file.bytes === undefined
}

function isFolded(text: string): boolean {
  return text.split('\n').some(line => line.length > foldedFrom)
}

function splitLines(text: string, isUnfolded: boolean): readonly string[] {
  if (text === '') return []
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  return isUnfolded ? lines.flatMap(line => line.split(/(?<=[;{}])/)).flatMap(cutLine) : lines
}

/** Pieces that a page can show. */
function cutLine(line: string): string[] {
  if (line.length <= maxLineLength) return [line]
  const pieces: string[] = []
  for (let at = 0; at < line.length; at += maxLineLength) pieces.push(line.slice(at, at + maxLineLength))
  return pieces
}

function cutHunks(hunks: readonly Hunk[], room: number): readonly Hunk[] {
  let left = room
  const kept: Hunk[] = []
  for (const hunk of hunks) {
    if (left <= 0) break
    const lines = hunk.lines.slice(0, left).map(line => ({ ...line, text: revealLine(line.text) }))
    kept.push({ ...hunk, lines })
    left -= lines.length
  }
  return kept
}

function countLines(hunks: readonly Hunk[]): number {
  return hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
}

function sumBytes(files: readonly PackageFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0)
}

function* findInFile(
  { path, before, after }: Pair,
  body: FileBody,
  old: string | undefined,
  now: string | undefined,
): Generator<DiffFinding> {
  if (after === undefined) return
  if (revealHidden(path) !== path || (now !== undefined && isDeceptive(now) && !isDeceptive(old ?? '')))
    yield { kind: 'hidden-characters', weight: 'grave', subject: path }
  if (body.kind === 'binary' && now === undefined)
    yield { kind: before === undefined ? 'binary-added' : 'binary-changed', weight: 'notable', subject: path }
  if (body.kind === 'large') yield { kind: 'large-changed', weight: 'notable', subject: path }
  if (now !== undefined && isFolded(now) && !isFolded(old ?? ''))
    yield { kind: 'unreadable-lines', weight: 'notable', subject: path }
  if (gainsExecution({ path, before, after }))
    yield { kind: 'made-executable', weight: 'notable', subject: path }
}

function* compareWhole(before: PackageContent | undefined, after: PackageContent): Generator<DiffFinding> {
  if (after.hasInstallScript && before?.hasInstallScript !== true)
    yield { kind: 'runs-at-install', weight: 'grave', subject: '' }
  const [old, now] = [sumBytes(before?.files ?? []), sumBytes(after.files)]
  if (before !== undefined && now > 2 * old && now - old > grownBytes)
    yield { kind: 'grown', weight: 'notable', subject: '', before: `${old}`, after: `${now}` }
}

function rank({ weight }: DiffFinding): number {
  return ['grave', 'notable', 'minor'].indexOf(weight)
}
