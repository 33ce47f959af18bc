// SPDX-License-Identifier: Apache-2.0
/** The thread that makes documents of upstream packages: kept manifests and our own words in, the document out. */
import { findSourceLine, readSourceLines } from '../../mirror-source.ts'
import type { UpstreamWords } from '../../ports.ts'
import { answerJobs } from '../../thread.ts'
import { GzipPieces } from './gzip-pieces.ts'
import type { DocumentJob, MirrorJob, VersionJob, WordsJob } from './mirror-press.ts'

const none: Buffer = Buffer.alloc(0)
/** Characters, as many as bytes are kept of a hosted package's. */
const longestReadme = 64 * 1024
/** Of a manifest, for the package's page. */
const shownFields = [
  ...['license', 'repository', 'homepage', 'engines'],
  ...['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies'],
]

answerJobs<MirrorJob, Uint8Array<ArrayBuffer>>(
  // In memory of its own size, which can be handed over.
  job => new Uint8Array(answer(job)),
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
  made.add(Buffer.from(`${JSON.stringify(head).slice(0, -1)},"versions":{`))
  let comma = ''
  for (const own of job.versions) {
    const manifest = nextOf(lines)
    if (own === null) continue
    made.add(Buffer.from(`${comma}${JSON.stringify(own.version)}:`))
    const shown = job.fields === undefined ? manifest : pick(manifest, job.fields)
    for (const part of joined(shown, own.text)) made.add(part)
    comma = ','
  }
  made.add(Buffer.from(`}${job.tail}}`))
  return made.end()
}

function nextOf(lines: Generator<Buffer>): Buffer {
  return lines.next().value ?? none
}

/** One version of the package, as text. */
function versionText(job: VersionJob): Buffer {
  return Buffer.concat(joined(findSourceLine(job.source, job.index + 1) ?? none, job.text))
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
function joined(manifest: Buffer, own: string): Buffer[] {
  return manifest.length > 2
    ? [manifest.subarray(0, -1), Buffer.from(`,${own.slice(1)}`)]
    : [Buffer.from(own)]
}

function pick(manifest: Buffer, fields: readonly string[]): Buffer {
  const all = parseObject(manifest)
  const kept = fields.filter(field => all[field] !== undefined).map(field => [field, all[field]])
  return Buffer.from(JSON.stringify(Object.fromEntries(kept)))
}

function parseObject(line: Buffer): Readonly<Record<string, unknown>> {
  return line.length === 0 ? {} : JSON.parse(line.toString())
}
