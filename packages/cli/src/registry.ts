// SPDX-License-Identifier: Apache-2.0
/** The registry that commands speak to: named, or the one npm is set to, with npm's token for it. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './usage-error.ts'

const withinMs = 60_000
const maxAnswerBytes = 64 * 1024 * 1024
const maxLineLength = 1024 * 1024

export interface Registry {
  /** Where its own API lies, without a slash at the end. */
  readonly url: string
  /** Sent to this host and nowhere else; undefined where npm has none for it. */
  readonly token: string | undefined
}

/** `given`, or what `.npmrc` of the project or the user says, for the scope of a name first. HOLDFAST_TOKEN goes before npm's token. */
export async function findRegistry(given: string | undefined, name = ''): Promise<Registry> {
  const settings = await readSettings()
  const scope = name.startsWith('@') ? name.split('/')[0] : undefined
  const told =
    given ??
    (scope === undefined ? undefined : settings.get(`${scope}:registry`)) ??
    process.env['npm_config_registry'] ??
    settings.get('registry')
  if (told === undefined || !URL.canParse(told) || !/^https?:$/.test(new URL(told).protocol))
    throw new UsageError('--registry URL is missing', 'Name the registry, such as https://registry.example.')
  const url = told.replace(/\/+$/, '').replace(/\/npm$/, '')
  const token =
    process.env['HOLDFAST_TOKEN'] ?? settings.get(`${url.replace(/^https?:/, '')}/npm/:_authToken`)
  return { url, token }
}

/** What was answered; its body is complete and not longer than asked for. */
export interface Answer {
  readonly status: number
  readonly isOk: boolean
  readonly body: Uint8Array
}

interface Sent {
  readonly body?: unknown
  readonly otp?: string | undefined
  readonly accept?: string
}

/** Asks the registry's API. Throws `UsageError` with the registry's own words where it refuses. */
export async function askRegistry(
  registry: Registry,
  method: 'GET' | 'POST',
  path: string,
  sent: Sent = {},
): Promise<unknown> {
  const answer = await fetchBounded(registry, method, `api/v1/${path}`, maxAnswerBytes, sent)
  const told = readJson(answer)
  if (answer.isOk && told !== undefined) return told
  throw explainRefusal(registry, answer)
}

/** Fetches what lies at a path below the registry's address; throws `UsageError` where it cannot be reached or says more than `maxBytes`. */
export async function fetchBounded(
  { url, token }: Registry,
  method: 'GET' | 'POST',
  path: string,
  maxBytes: number,
  sent: Sent = {},
): Promise<Answer> {
  const { host } = new URL(url)
  try {
    const answer = await fetch(`${url}/${path}`, {
      method,
      // A redirect would carry the token elsewhere.
      redirect: 'error',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(sent.otp === undefined ? {} : { 'npm-otp': sent.otp }),
        ...(sent.accept === undefined ? {} : { accept: sent.accept }),
        ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
      signal: AbortSignal.timeout(withinMs),
    })
    return { status: answer.status, isOk: answer.ok, body: await readBody(answer, maxBytes) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${host} cannot be asked: ${why}`, 'Check the address and try again.')
  }
}

/**
 * The lines of a long answer as they come, without their ends, however many there are. Throws `UsageError` where it is refused, is
 * cut off, or nothing comes for a minute.
 */
export async function* readLines(registry: Registry, path: string): AsyncGenerator<string, void> {
  const { url, token } = registry
  const patience = new AbortController()
  /** Whoever reads the lines may be slower than that. */
  const soon = async <T>(awaited: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => patience.abort(new Error('nothing came for a minute')), withinMs)
    return awaited.finally(() => clearTimeout(timer))
  }
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  try {
    const asked = fetch(`${url}/${path}`, { redirect: 'error', headers, signal: patience.signal })
    const answer = await soon(asked)
    if (!answer.ok) {
      const body = await soon(readBody(answer, maxAnswerBytes))
      throw explainRefusal(registry, { status: answer.status, isOk: false, body })
    }
    yield* splitLines(answer.body, soon)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${new URL(url).host} cannot be asked: ${why}`, 'Check the address and try again.')
  }
}

async function* splitLines(
  body: Response['body'],
  soon: <T>(awaited: Promise<T>) => Promise<T>,
): AsyncGenerator<string, void> {
  const pieces = (body ?? new Blob().stream()).getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await soon(pieces.read())
    if (done) break
    const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/)
    rest = lines.pop() ?? ''
    if (rest.length > maxLineLength) throw new Error('it says a line without end')
    yield* lines
  }
  if (rest !== '') yield rest
}

/** What an answer says, to its end; throws where it is longer. */
export async function readBody(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of answer.body ?? []) {
    length += piece.length
    if (length > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Why an answer is no good, in the registry's own words where it has some. */
export function explainRefusal({ url }: Registry, answer: Answer): UsageError {
  const told = readJson(answer) as { title?: unknown; hint?: unknown } | undefined
  if (typeof told?.title === 'string')
    return new UsageError(told.title, typeof told.hint === 'string' ? told.hint : '')
  return new UsageError(
    `${new URL(url).host} is no Holdfast registry (${answer.status})`,
    'Name another one with --registry.',
  )
}

function readJson({ body }: Answer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) ?? undefined
  } catch {
    return undefined
  }
}

async function readSettings(): Promise<ReadonlyMap<string, string>> {
  const user = process.env['NPM_CONFIG_USERCONFIG'] ?? join(homedir(), '.npmrc')
  const settings = new Map<string, string>()
  // The project's lines win.
  for (const file of [user, '.npmrc']) {
    const text = await readFile(file, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*"?(.*?)"?\s*$/.exec(line) ?? []
      if (key !== undefined && value !== undefined) settings.set(key, fromEnvironment(value))
    }
  }
  return settings
}

/** npm fills `${NAME}` from the environment. */
function fromEnvironment(value: string): string {
  return value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => process.env[name] ?? whole)
}
