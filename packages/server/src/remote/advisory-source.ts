// SPDX-License-Identifier: Apache-2.0
/** Advisories by the clock: from a mirror of an OSV dump, or from a file or folder of this machine. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { problem } from '@holdfast/core'
import type { AdvisoryPart, AdvisorySource, Outbound } from '../ports.ts'

/** The public collection of advisories about npm packages, malicious ones included (osv.dev). */
const publicDump = 'https://osv-vulnerabilities.storage.googleapis.com/npm'
const listBytes = 256 * 1024 * 1024
const dumpBytes = 4 * 1024 * 1024 * 1024
const recordBytes = 32 * 1024 * 1024
const listMs = 120_000
const dumpMs = 30 * 60_000
/** Above this the whole dump costs them and us less. */
const recordsOneByOne = 500
const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$/

/** Opens `osv` (the public dump), the http address of a dump, or a path; `NAME=` before it names the feed. */
export function openAdvisorySource(told: string, outbound: Outbound): AdvisorySource {
  const [, given, place = told] = /^([a-z0-9-]{1,40})=(.+)$/.exec(told) ?? []
  const from = (place === 'osv' ? publicDump : place).replace(/\/$/, '')
  const id = createHash('sha256').update(from).digest('hex').slice(0, 12)
  if (!/^https?:/.test(from))
    return { id, name: given ?? basename(from), label: from, read: after => readFiles(from, after) }
  const { host } = new URL(from)
  const name = given ?? (place === 'osv' ? 'osv' : host)
  return { id, name, label: host, read: after => readMirror(from, outbound, after) }
}

/** The list of what changed comes first, as OSV's own tools read it; the newest entry says where we are then. */
async function* readMirror(url: string, outbound: Outbound, after: number): AsyncGenerator<AdvisoryPart> {
  const { position, ids } = await readChanged(url, outbound, after)
  if (after === 0 || ids.length > recordsOneByOne) {
    yield await openPart(`${url}/all.zip`, 'zip', position, outbound)
    return
  }
  // Oldest first, and the position only behind the last: after a crash the same is read again, and changes nothing.
  for (const [at, id] of ids.entries()) {
    const behind = at === ids.length - 1 ? position : after
    yield await openPart(`${url}/${id}.json`, 'json', behind, outbound)
  }
}

/** `modified_id.csv`: a line `TIME,[npm/]ID` for each record, the newest first. */
async function readChanged(url: string, outbound: Outbound, after: number) {
  const request = { url: `${url}/modified_id.csv`, maxBytes: listBytes, deadlineMs: listMs, redirects: 3 }
  const { status, bytes } = await outbound.ask(request)
  if (status !== 200) throw failed(url, `it answers ${status} for its list of changes`)
  const ids: string[] = []
  let position = after
  for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
    const [time = '', path = ''] = line.trim().split(',')
    const at = Date.parse(time)
    const id = path.replace(/^npm\//, '')
    if (Number.isNaN(at) || !idForm.test(id)) continue
    if (at <= after) break
    position = Math.max(position, at)
    ids.push(id)
  }
  if (position === 0) throw failed(url, 'its list of changes is empty')
  return { position, ids: ids.reverse() }
}

async function openPart(
  url: string,
  form: 'json' | 'zip',
  position: number,
  outbound: Outbound,
): Promise<AdvisoryPart> {
  const limits =
    form === 'zip'
      ? { maxBytes: dumpBytes, deadlineMs: dumpMs }
      : { maxBytes: recordBytes, deadlineMs: listMs }
  const { status, pieces } = await outbound.open({ url, redirects: 3, ...limits })
  if (status !== 200) throw failed(url, `it answers ${status} for ${basename(url)}`)
  return { from: basename(url), form, pieces, position }
}

function failed(url: string, why: string) {
  return problem('remote-failed', { host: new URL(url).host, why })
}

/** A file as a whole when it changed; of a folder the files that did, by the time at which they came to be as they are. */
async function* readFiles(path: string, after: number): AsyncGenerator<AdvisoryPart> {
  // What is written while this reads is read again the next time.
  const begin = Date.now() - 1
  const about = await stat(path).catch(unreadable)
  const files = about.isDirectory() ? await listFiles(path) : [{ file: path, changedAt: about.ctimeMs }]
  const changed = files.filter(each => each.changedAt >= after)
  for (const [at, { file }] of changed.entries())
    yield {
      from: basename(file),
      form: formOf(file),
      pieces: createReadStream(file),
      position: at === changed.length - 1 ? begin : after,
    }
}

async function listFiles(folder: string): Promise<{ file: string; changedAt: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unreadable)
  const names = entries.filter(each => each.isFile() && /\.(json|ndjson|jsonl|zip)$/.test(each.name))
  return await Promise.all(
    names.map(async ({ name }) => {
      const file = join(folder, name)
      return { file, changedAt: (await stat(file).catch(unreadable)).ctimeMs }
    }),
  )
}

function formOf(file: string): AdvisoryPart['form'] {
  return file.endsWith('.zip') ? 'zip' : /\.(ndjson|jsonl)$/.test(file) ? 'lines' : 'json'
}

function unreadable(error: Error): never {
  throw problem('file-unreadable', { why: error.message })
}
