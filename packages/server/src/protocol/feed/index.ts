// SPDX-License-Identifier: Apache-2.0
/** What happens to packages, for readers of feeds: Atom, and JSON lines that can be read on. */
import { type Problem, parsePackageName, problem } from '@holdfast/core'
import { formatNews, type News } from '../../community/index.ts'
import { listPackageNews, listPublisherNews } from '../../flow/index.ts'
import {
  type Answer,
  type AtomEntry,
  answerAtom,
  type Call,
  type Mount,
  openTurns,
  type Turns,
} from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { answerChanges, changesPath } from './change.ts'

const packagePrefix = '/feed/package/'
const publisherPrefix = '/feed/publisher/'

/** `/feed/package/NAME.atom`, `/feed/publisher/NAME.atom` and `/feed/changes` as mounts. */
export function feedMounts(ports: Ports): readonly Mount[] {
  const turns = openTurns(ports.clock)
  const handle = (call: Call) => answer(ports, turns, call)
  const prefixes = [packagePrefix, publisherPrefix, changesPath]
  return prefixes.map(prefix => ({ prefix, classOf: () => 'api', renderProblem, handle }))
}

async function answer(ports: Ports, turns: Turns, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.method !== 'GET' && call.method !== 'HEAD')
    throw problem('method-not-allowed', { method: call.method })
  const path = call.url.split('?')[0] ?? ''
  if (path === changesPath) return turns.take(call, 20, () => answerChanges(ports, call))
  const [, name] = /\/([^/]+(?:\/[^/]+)?)\.atom$/.exec(path.replace(/^\/feed\/(package|publisher)/, '')) ?? []
  if (name === undefined) throw problem('not-found')
  const decoded = decode(name)
  return turns.take(call, 20, () =>
    path.startsWith(packagePrefix)
      ? answerPackage(ports, call, decoded)
      : answerPublisher(ports, call, decoded),
  )
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw problem('not-found')
  }
}

async function answerPackage(ports: Ports, call: Call, text: string): Promise<Answer> {
  const name = parsePackageName(text)
  const news = await listPackageNews(ports, call.actor, name)
  const known = await ports.store.catalog.findPackage(name)
  return answerAtom(ports, call, {
    path: `${packagePrefix}${name}.atom`,
    title: name,
    entries: news.map(each => toEntry(ports.config.publicUrl, each)),
    isPrivate: known?.access === 'restricted',
  })
}

async function answerPublisher(ports: Ports, call: Call, name: string): Promise<Answer> {
  const news = await listPublisherNews(ports, call.actor, name)
  return answerAtom(ports, call, {
    path: `${publisherPrefix}${encodeURIComponent(name).replace(/^%40/, '@')}.atom`,
    title: name,
    entries: news.map(each => toEntry(ports.config.publicUrl, each)),
    isPrivate: call.actor.kind !== 'nobody',
  })
}

function toEntry(publicUrl: string, news: News): AtomEntry {
  const words = formatNews(news)
  return {
    id: `urn:uuid:${news.id}`,
    title: words,
    updatedAt: news.at,
    publishedAt: news.at,
    link: { type: 'text/html', href: publicUrl + encodeURI(news.path) },
    summary: words,
  }
}

function renderProblem({ code, status, message, hint, data }: Problem): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  }
  if (status === 401) headers['www-authenticate'] = 'Basic realm="holdfast"'
  if (status === 429 || status === 503) headers['retry-after'] = String(data['retryAfter'] ?? 5)
  return { status, headers, body: JSON.stringify({ code, status, title: message, hint }) }
}
