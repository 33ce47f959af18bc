// SPDX-License-Identifier: Apache-2.0
/** A registry under assessment from outside: where it answers, and a few of its packages to look at. */
import { isPackageName } from '@holdfast/core'
import { readBody } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const withinMs = 30_000
const maxBytes = 64 * 1024 * 1024
const sampled = 5

/** An answer, read to its end and bounded. */
export interface Reply {
  readonly status: number
  readonly body: Uint8Array
}

/** One version of a package as the registry shows it. */
export interface Sample {
  readonly name: string
  readonly version: string
  readonly dist: Readonly<Record<string, unknown>>
}

export interface Target {
  /** Scheme, host and port. */
  readonly origin: string
  /** Where npm's protocol is spoken; ends with a slash. */
  readonly npm: string
  /** Newest versions of packages that are there; empty where none was named and none is found. */
  readonly samples: readonly Sample[]
  /** Asks an address below `npm`, or one that begins with a slash below the origin. */
  ask(path: string, body?: unknown): Promise<Reply>
}

/** Finds where a registry speaks npm's protocol, and packages to look at. Throws `UsageError` where none answers. */
export async function openTarget(address: string, packages: readonly string[]): Promise<Target> {
  const base = checkAddress(address)
  const npm = await findNpm(base)
  const ask = (path: string, body?: unknown) => fetchBounded(new URL(path, npm), body)
  const names = packages.length > 0 ? packages : await searchNames(ask)
  const found = await Promise.all(names.slice(0, sampled).map(name => readSample(ask, name)))
  const samples = found.filter(sample => sample !== undefined)
  if (samples.length < packages.length)
    throw new UsageError(
      `${npm} does not show every package of ${packages.join(', ')}`,
      'Name packages that anybody may read there.',
    )
  return { origin: new URL(npm).origin, npm, samples, ask }
}

/** The text of an answer as JSON, or undefined. */
export function jsonOf({ body }: Reply): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

function checkAddress(address: string): string {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new UsageError(
      `${address} is no address of a registry`,
      'Write it with its scheme, such as https://registry.example.',
    )
  return address.endsWith('/') ? address : `${address}/`
}

/** A Holdfast registry is known by its own address, and speaks npm's protocol below it. */
async function findNpm(base: string): Promise<string> {
  for (const npm of [base, `${base}npm/`]) {
    const reply = await fetchBounded(new URL('-/ping', npm)).catch((error: Error) => error)
    if (reply instanceof Error)
      throw new UsageError(
        `${base} does not answer: ${reply.message}`,
        'Look at the address and the network.',
      )
    if (reply.status === 200 && jsonOf(reply) !== undefined) return npm
  }
  throw new UsageError(
    `${base} does not speak npm's protocol`,
    'Name the address that npm would be set to, or that of a Holdfast registry.',
  )
}

async function searchNames(ask: Target['ask']): Promise<string[]> {
  for (const text of ['a', '']) {
    const reply = await ask(`-/v1/search?text=${text}&size=${sampled}`)
    const { objects } = Object(jsonOf(reply)) as { objects?: unknown }
    const names = Array.isArray(objects) ? objects.map(each => Object(Object(each).package).name) : []
    const known = names.filter((name): name is string => typeof name === 'string' && isPackageName(name))
    if (known.length > 0) return known
  }
  return []
}

async function readSample(ask: Target['ask'], name: string): Promise<Sample | undefined> {
  if (!isPackageName(name)) return undefined
  const reply = await ask(name.replace('/', '%2f'))
  const document = Object(jsonOf(reply)) as Record<string, Record<string, unknown>>
  const version = document['dist-tags']?.['latest']
  const dist = Object(Object(document['versions'])[String(version)]).dist
  return typeof version === 'string' && dist !== undefined ? { name, version, dist } : undefined
}

async function fetchBounded(url: URL, body?: unknown): Promise<Reply> {
  const sent =
    body === undefined
      ? {}
      : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(url, { ...sent, redirect: 'follow', signal: AbortSignal.timeout(withinMs) })
  return { status: response.status, body: await readBody(response, maxBytes) }
}
