// SPDX-License-Identifier: Apache-2.0
/** The registries that a project's clients are set to, and npm's protocol as any of them speaks it. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { mapAt, readBlocks, wordAt } from '@holdfast/core'
import { UsageError } from './usage-error.ts'

const withinMs = 60_000
const maxAnswerBytes = 256 * 1024 * 1024

/** A registry as clients are told of it. */
export interface NpmRegistry {
  /** Ends with a slash. */
  readonly base: string
  /** The value of `authorization`, for this registry and nobody else. */
  readonly credential: string | undefined
}

/** Which registry is asked about a package. */
export interface Routes {
  readonly registryOf: (name: string) => NpmRegistry
  /** Whether packages of this name are to come from an address. */
  readonly isExpected: (name: string, address: URL) => boolean
  /** What the clients are set to otherwise, by the names that each of them uses. */
  readonly settings: ReadonlyMap<string, string>
}

/** Reads what npm, yarn and bun are set to in a project and for its user; `given` takes the place of the default, never that of a scope. */
export async function readRoutes(folder: string, given?: string): Promise<Routes> {
  const settings = await readSettings(folder)
  const told = given ?? process.env['npm_config_registry'] ?? settings.get('registry')
  const fallback = await findBase(told)
  const known = new Map<string, NpmRegistry>()
  const open = (base: string): NpmRegistry => {
    const found = known.get(base) ?? { base, credential: credentialOf(settings, base, base === fallback) }
    known.set(base, found)
    return found
  }
  const baseOf = (name: string) => {
    const scoped = name.startsWith('@') ? settings.get(`${name.split('/')[0]}:registry`) : undefined
    return scoped === undefined ? fallback : withSlash(checkAddress(scoped))
  }
  return {
    settings,
    registryOf: name => open(baseOf(name)),
    isExpected: (name, address) => address.origin === new URL(baseOf(name)).origin,
  }
}

/** A Holdfast registry is also known by its own address, and speaks npm's protocol below it. */
async function findBase(told: string | undefined): Promise<string> {
  const base = withSlash(checkAddress(told))
  if (new URL(base).pathname !== '/') return base
  const answer = await fetch(`${base}npm/-/ping`, {
    redirect: 'error',
    signal: AbortSignal.timeout(withinMs),
  }).catch(() => undefined)
  await answer?.body?.cancel()
  const isOurs = answer?.ok === true && (answer.headers.get('content-type') ?? '').includes('json')
  return isOurs ? `${base}npm/` : base
}

function checkAddress(told: string | undefined): string {
  if (told !== undefined && URL.canParse(told) && /^https?:$/.test(new URL(told).protocol)) return told
  throw new UsageError(
    '--registry URL is missing',
    'Name the registry, such as https://registry.example/npm/.',
  )
}

function withSlash(address: string): string {
  return address.replace(/\/*$/, '/')
}

/** npm's way: what is set for the registry's address or a folder above it. */
function credentialOf(settings: Settings, base: string, isDefault: boolean): string | undefined {
  const own = process.env['HOLDFAST_TOKEN']
  if (own !== undefined && isDefault) return `Bearer ${own}`
  for (let place = base.replace(/^https?:/, ''); place.length > 2; place = place.replace(/[^/]*\/$/, '')) {
    const token = settings.get(`${place}:_authToken`) ?? settings.get(`${place.slice(0, -1)}:_authToken`)
    if (token !== undefined) return `Bearer ${token}`
    const basic = settings.get(`${place}:_auth`)
    if (basic !== undefined) return `Basic ${basic}`
  }
  return undefined
}

type Settings = ReadonlyMap<string, string>

async function readSettings(folder: string): Promise<Settings> {
  const home = homedir()
  const user =
    process.env['NPM_CONFIG_USERCONFIG'] ?? process.env['npm_config_userconfig'] ?? join(home, '.npmrc')
  const read = (path: string) => readFile(path, 'utf8').catch(() => '')
  const settings = new Map<string, string>()
  // What stands later wins: the project before the user, npm's own file before those of yarn and bun.
  for (const place of [home, folder]) {
    addYarn(settings, await read(join(place, '.yarnrc.yml')))
    addBun(settings, await read(join(place, place === home ? '.bunfig.toml' : 'bunfig.toml')))
    addNpm(settings, await read(place === home ? user : join(folder, '.npmrc')))
  }
  return settings
}

function addNpm(settings: Map<string, string>, text: string): void {
  for (const line of text.split('\n')) {
    const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*"?(.*?)"?\s*$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) settings.set(key, fromEnvironment(value))
  }
}

/** `npmRegistryServer`, `npmScopes` and their tokens, and the age that yarn waits. */
function addYarn(settings: Map<string, string>, text: string): void {
  const root = readBlocks(text)
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) settings.set(key, fromEnvironment(value))
  }
  const server = wordAt(root, 'npmRegistryServer')
  add('registry', server)
  if (server !== undefined)
    add(`${withSlash(server).replace(/^https?:/, '')}:_authToken`, wordAt(root, 'npmAuthToken'))
  add('npmMinimalAgeGate', wordAt(root, 'npmMinimalAgeGate'))
  const scopes = mapAt(root, 'npmScopes')
  for (const scope of scopes.keys()) {
    const own = wordAt(mapAt(scopes, scope), 'npmRegistryServer')
    add(`@${scope}:registry`, own)
    if (own !== undefined)
      add(
        `${withSlash(own).replace(/^https?:/, '')}:_authToken`,
        wordAt(mapAt(scopes, scope), 'npmAuthToken'),
      )
  }
}

/** `registry`, the scopes below `[install.scopes]`, and the age that bun waits. */
function addBun(settings: Map<string, string>, text: string): void {
  for (const line of text.split('\n')) {
    const [, key, value] = /^\s*"?(@?[\w.-]+)"?\s*=\s*(.+?)\s*$/.exec(line) ?? []
    const address = /"(https?:\/\/[^"]+)"/.exec(value ?? '')?.[1]
    if (key === 'minimumReleaseAge' && value !== undefined) settings.set('bun:minimumReleaseAge', value)
    if (address !== undefined && key === 'registry') settings.set('registry', address)
    if (address !== undefined && key?.startsWith('@')) settings.set(`${key}:registry`, address)
  }
}

/** npm fills `${NAME}` from the environment. */
function fromEnvironment(value: string): string {
  return value.replace(
    /\$\{([^}:]+)(?::?-([^}]*))?\}/g,
    (whole, name: string, other?: string) => process.env[name] ?? other ?? whole,
  )
}

/** Asks about versions by name, as `npm audit` does; undefined where this registry has no such answer. */
export async function askAdvisories(
  registry: NpmRegistry,
  asked: Readonly<Record<string, readonly string[]>>,
  onNotice?: (words: string) => void,
): Promise<unknown> {
  const body = gzipSync(JSON.stringify(asked))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  return ask(registry, '-/npm/v1/security/advisories/bulk', { method: 'POST', headers, body }, onNotice)
}

/** A package's document with its times; undefined where the registry has none. */
export async function fetchPackument(registry: NpmRegistry, name: string): Promise<unknown> {
  return ask(registry, name.replace('/', '%2f'), { headers: { accept: 'application/json' } })
}

/** One version's manifest; undefined where the registry has none. */
export async function fetchVersion(registry: NpmRegistry, name: string, version: string): Promise<unknown> {
  const path = `${name.replace('/', '%2f')}/${encodeURIComponent(version)}`
  return ask(registry, path, { headers: { accept: 'application/json' } })
}

/** One JSON answer, bounded; undefined for 404 and 405. */
async function ask(
  { base, credential }: NpmRegistry,
  path: string,
  init: RequestInit,
  onNotice?: (words: string) => void,
): Promise<unknown> {
  const { host } = new URL(base)
  const headers = {
    ...(init.headers as Record<string, string>),
    ...(credential === undefined ? {} : { authorization: credential }),
  }
  const fail = (why: string) =>
    new UsageError(`${host} cannot be asked: ${why}`, 'Check the address and your token.')
  const answer = await fetch(base + path, {
    ...init,
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(withinMs),
  }).catch((error: Error) => {
    throw fail(error.message)
  })
  if (answer.status === 404 || answer.status === 405) {
    await answer.body?.cancel()
    return undefined
  }
  const text = await readText(answer, fail)
  if (!answer.ok) throw fail(`it answers ${answer.status}`)
  const notice = answer.headers.get('npm-notice')
  if (notice !== null) onNotice?.(notice.slice(0, 500))
  try {
    return JSON.parse(text)
  } catch {
    throw fail('its answer is no JSON')
  }
}

async function readText(answer: Response, fail: (why: string) => Error): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of answer.body ?? []) {
    length += piece.length
    if (length > maxAnswerBytes) throw fail(`its answer is longer than ${maxAnswerBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
