// SPDX-License-Identifier: Apache-2.0
/** The thread that makes documents of upstream packages: kept manifests and our own words in, the document out. */
import { Litter, mostInThread } from '../../litter.ts'
import { findSourceLine, listSourcePieces, readSourceLines, splitLines } from '../../mirror-source.ts'
import type { UpstreamWords } from '../../ports.ts'
import { answerJobs } from '../../thread.ts'
import { GzipPieces } from './gzip-pieces.ts'
import type { DocumentJob, MirrorJob, VersionJob, WordsJob } from './mirror-press.ts'

const tab = 0x09
const none: Buffer = Buffer.alloc(0)
/** Characters, as many as bytes are kept of a hosted package's. */
const longestReadme = 64 * 1024
/** Of a manifest, for the package's page. */
const shownFields = [
  ...['license', 'repository', 'homepage', 'engines'],
  ...['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies'],
]

const litter = new Litter(mostInThread)
/** Of the job before, which is litter once its answer went out. */
let lines = 0

answerJobs<MirrorJob, Uint8Array<ArrayBuffer>>(
  job => {
    litter.add(lines)
    lines = listSourcePieces(job.source).reduce((sum, piece) => sum + piece.lines, 0)
    // In memory of its own size, which can be handed over.
    return new Uint8Array(answer(job))
  },
  bytes => [bytes.buffer],
)

function answer(job: MirrorJob): Buffer {
  switch (job.kind) {
    case 'document':
      return pressDocument(job)
    case 'version':
      return versionText(job)
    case 'words':
      return wordsText(job)
  }
}

function pressDocument(job: DocumentJob): Buffer {
  const lines = readSourceLines(job.source)
  const about = nextOf(lines)
  const head = { ...(job.form === 'full' ? parseObject(about) : {}), ...job.head }
  const made = new GzipPieces()
  made.add(`${JSON.stringify(head).slice(0, -1)},"versions":{`)
  let comma = ''
  for (const own of ownLines(job.versions)) {
    const manifest = nextOf(lines)
    if (own.length === 0) continue
    const end = own.indexOf(tab)
    made.add(comma)
    made.add(own.subarray(0, end))
    made.add(':')
    const shown = job.fields === undefined ? manifest : pick(manifest, job.fields)
    for (const part of joined(shown, own.subarray(end + 1))) made.add(part)
    comma = ','
  }
  made.add(`}${job.tail}}`)
  return made.end()
}

function* ownLines(pieces: DocumentJob['versions']): Generator<Buffer> {
  for (const piece of pieces) yield* splitLines(Buffer.from(piece.buffer))
}

function nextOf(lines: Generator<Buffer>): Buffer {
  return lines.next().value ?? none
}

/** One version of the package, as text. */
function versionText(job: VersionJob): Buffer {
  const parts = joined(findSourceLine(job.source, job.index + 1) ?? none, Buffer.from(job.text))
  return Buffer.concat(parts.map(part => Buffer.from(part)))
}

/** The source may be newer than whoever asks knows: another version's manifest is none. */
function wordsText({ source, index, version }: WordsJob): Buffer {
  const { readme } = parseObject(findSourceLine(source, 0) ?? none)
  const all = parseObject((index < 0 ? undefined : findSourceLine(source, index + 1)) ?? none)
  const shown = all['version'] === version ? shownFields.filter(field => all[field] !== undefined) : []
  const words: UpstreamWords = {
    readme: typeof readme === 'string' ? readme.slice(0, longestReadme) : '',
    manifest: Object.fromEntries(shown.map(field => [field, all[field]])),
  }
  return Buffer.from(JSON.stringify(words))
}

/** The members of both objects as those of one. */
function joined(manifest: Buffer | string, own: Buffer): (Buffer | string)[] {
  if (manifest.length <= 2) return [own]
  const open = typeof manifest === 'string' ? manifest.slice(0, -1) : manifest.subarray(0, -1)
  return [open, ',', own.subarray(1)]
}

function pick(manifest: Buffer, fields: readonly string[]): string {
  const all = parseObject(manifest)
  const kept = fields.filter(field => all[field] !== undefined).map(field => [field, all[field]])
  return JSON.stringify(Object.fromEntries(kept))
}

function parseObject(line: Buffer): Readonly<Record<string, unknown>> {
  return line.length === 0 ? {} : JSON.parse(line.toString())
}
