// SPDX-License-Identifier: Apache-2.0
/** Advisories below `/osv/` as osv.dev serves them, so that its tools can be pointed here; and `/feed/advisories.atom`. */
import { type Problem, problem } from '@holdfast/core'
import { listAllAdvisories, readAdvisory } from '../../flow/index.ts'
import { type Answer, type Call, type Mount, openTurns, type Turns } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { answerFeed } from './feed.ts'
import { answerBatch, answerQuery } from './query.ts'
import { writeZip } from './zip.ts'

const feedPath = '/feed/advisories.atom'
/** Codes of gRPC, which tools of osv.dev look at. */
const codes: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 3, 429: 8, 503: 14 }

/** The API and the feed as mounts; both refuse as osv.dev does. */
export function osvMounts(ports: Ports): readonly Mount[] {
  const turns = openTurns(ports.clock)
  const handle = (call: Call) => answer(ports, turns, call)
  return ['/osv/', feedPath].map(prefix => ({ prefix, classOf: () => 'api', renderProblem, handle }))
}

async function answer(ports: Ports, turns: Turns, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const path = call.url.split('?')[0] ?? ''
  checkMethod(call.method, path)
  if (path === feedPath) return turns.take(call, 20, () => answerFeed(ports, call))
  if (path === '/osv/v1/query') return turns.take(call, 5, () => answerQuery(ports, call))
  if (path === '/osv/v1/querybatch') return turns.take(call, 50, () => answerBatch(ports, call))
  if (path === '/osv/npm/all.zip') return turns.take(call, 500, () => answerZip(ports, call))
  const id = /^\/osv\/v1\/vulns\/([A-Za-z0-9._:%-]{1,300})$/.exec(path)?.[1]
  if (id !== undefined) return turns.take(call, 1, () => answerRecord(ports, call, id))
  throw problem('not-found')
}

function checkMethod(method: string, path: string): void {
  const isRead = method === 'GET' || method === 'HEAD'
  const isQuestion = path === '/osv/v1/query' || path === '/osv/v1/querybatch'
  if (isQuestion ? method !== 'POST' : !isRead) throw problem('method-not-allowed', { method })
}

async function answerRecord(ports: Ports, { actor }: Call, encoded: string): Promise<Answer> {
  const id = encoded.replaceAll('%3A', ':').replaceAll('%3a', ':')
  const { text } = await readAdvisory(ports, actor, id)
  return { status: 200, headers: headersOf('application/json; charset=utf-8'), body: text }
}

/** A package is private from its first owner on, or by a change of access. */
const zipEvents = ['advisory', 'access', 'owner', 'unpublish'] as const

/** As a dump of osv.dev: a file for each record. Made as it is sent; whoever is slow costs no memory. */
async function answerZip(ports: Ports, { actor, method, headers: asked }: Call): Promise<Answer> {
  const records = listAllAdvisories(ports, actor)
  const etag = await stampZip(ports)
  const headers = { ...headersOf('application/zip'), etag, 'cache-control': 'private, no-cache' }
  if (asked['if-none-match'] === etag) return { status: 304, headers }
  return method === 'HEAD'
    ? { status: 200, headers }
    : { status: 200, headers, flow: writeZip(files(records)) }
}

/** Another one after anything that could change which records there are, or which of them everybody may read. */
async function stampZip({ store }: Ports): Promise<string> {
  const newest = zipEvents.map(async type => {
    const [event] = await store.events.search({ type }, Number.MAX_SAFE_INTEGER, 1)
    return event?.position ?? 0
  })
  return `"${store.instance.id}-${Math.max(...(await Promise.all(newest)))}"`
}

async function* files(
  records: AsyncIterable<{ readonly id: string; readonly text: string }>,
): AsyncGenerator<{ readonly name: string; readonly text: string }> {
  // A colon is no part of a file's name everywhere.
  for await (const { id, text } of records) yield { name: `${id.replaceAll(':', '_')}.json`, text }
}

function headersOf(type: string): Record<string, string> {
  return { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
}

function renderProblem({ code, status, message, data }: Problem): Answer {
  const headers: Record<string, string> = headersOf('application/json; charset=utf-8')
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="holdfast"'
  if (status === 429 || status === 503) headers['retry-after'] = String(data['retryAfter'] ?? 5)
  return { status, headers, body: JSON.stringify({ code: codes[status] ?? 2, message, details: [{ code }] }) }
}
