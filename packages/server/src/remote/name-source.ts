// SPDX-License-Identifier: Apache-2.0
/** Which names upstream registries have: from a copy in a file, or from a feed of their changes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import type { Clock, NamePage, NameSource, Outbound } from '../ports.ts'

/** Small, since nobody else is served while one is looked through. */
const namesAPage = 1000
const changesAPage = 1000
/** What is left is read another time. */
const pagesAtOnce = 200
const maxPageBytes = 16 * 1024 * 1024
const deadlineMs = 60_000
const longestName = 214
const dayMs = 24 * 3600_000

/** CouchDB's form; sequence numbers may come as text that begins with one. */
const sequence = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform(seq => Number.parseInt(String(seq), 10)),
  v.safeInteger(),
)
const changes = v.object({ results: v.array(v.object({ id: v.string() })), last_seq: sequence })

/** Opens a file (names parted by lines, commas, quotes or brackets: plain lists and JSON), or an http address of a feed. */
export function openNameSource(from: string, outbound: Outbound, clock: Clock): NameSource {
  const id = createHash('sha256').update(from).digest('hex').slice(0, 12)
  return /^https?:/.test(from)
    ? { id, label: new URL(from).host, isFeed: true, read: since => readFeed(from, outbound, since) }
    : { id, label: from, isFeed: false, read: since => readFile(from, since, clock()) }
}

/**
 * All of a file, in pages, when it changed after it was last read, and once a day: what is looked for may be new. The
 * position is when it was read; only behind the last page it counts.
 */
async function* readFile(file: string, since: number, now: number): AsyncGenerator<NamePage> {
  const changedAt = (await stat(file).catch(unreadable)).mtimeMs
  if (changedAt <= since && now - since < dayMs) return
  let names: string[] = []
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 32 * 1024 })) {
    const words = (rest + chunk).split(/[\s",[\]]+/)
    rest = words.pop() ?? ''
    // What goes on without an end is no list of names.
    if (rest.length > longestName) rest = ''
    for (const word of words) if (word !== '') names.push(word)
    if (names.length < namesAPage) continue
    yield { names, position: since }
    names = []
  }
  yield { names: rest === '' ? names : [...names, rest], position: now }
}

function unreadable(error: Error): never {
  throw problem('file-unreadable', { why: error.message })
}

/** What changed since then; from 0 it begins with now, since a feed tells the past more slowly than a file. */
async function* readFeed(from: string, outbound: Outbound, since: number): AsyncGenerator<NamePage> {
  let position = since
  for (let page = 0; page < pagesAtOnce; page++) {
    const url = new URL(from)
    url.searchParams.set('since', position === 0 ? 'now' : String(position))
    url.searchParams.set('limit', String(changesAPage))
    const { results, last_seq } = await askFeed(url, outbound)
    position = last_seq
    yield { names: results.map(each => each.id), position }
    if (results.length < changesAPage) return
  }
}

async function askFeed(url: URL, outbound: Outbound): Promise<v.InferOutput<typeof changes>> {
  const request = {
    url: url.href,
    headers: { accept: 'application/json' },
    maxBytes: maxPageBytes,
    deadlineMs,
  }
  const { status, bytes } = await outbound.ask(request)
  const told =
    status === 200 ? v.safeParse(changes, parseQuietly(Buffer.from(bytes).toString('utf8'))) : undefined
  if (told?.success === true) return told.output
  throw problem('remote-failed', { host: url.host, why: `it gives no feed of changes (status ${status})` })
}

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
