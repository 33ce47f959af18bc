// SPDX-License-Identifier: Apache-2.0
/** A real server process on a folder of its own, for clients that know nothing of our code. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { packPackage } from '../fixture/tarball.ts'
import { openHost, saidBy } from '../host.ts'

const launcher = fileURLToPath(new URL('../../../cli/bin/holdfast.js', import.meta.url))
const readyWithinMs = 30_000

/** A running registry that hosts every name, unless it is told of others. */
export interface Registry {
  /** The instance, without a slash at the end. */
  readonly url: string
  /** What a client is configured with: ends in `/npm/`. */
  readonly npm: string
  /** The folder at hand, for what the machine's owner or a browser would do. */
  readonly data: string
  /** Does what `holdfast …` does on the folder at hand, and answers with what it prints. */
  holdfast(...args: string[]): Promise<string>
  /** Does what `holdfast operator …` does on it. */
  operate(...args: string[]): Promise<string>
  /** A token of this user, made by the operator; by default it may publish everything. */
  token(user: string, ...more: string[]): Promise<string>
  /** One HTTP request below `/npm`; `body` is sent as JSON unless it is text. */
  call(path: string, request?: RawRequest): Promise<Response>
  /**
   * Repeats a GET until its answer is as wanted in both forms of a packument, of which clients remember either: acts of the
   * operator are followed within a second.
   */
  until(path: string, isWanted: (answer: Response) => boolean | Promise<boolean>): Promise<void>
  /** Publishes by HTTP what a client need not publish itself. */
  publish(sample: Sample, token: string): Promise<void>
  /** The requests so far whose path holds these words, oldest first, as the server's log has them. */
  requests(words: string): Promise<LoggedRequest[]>
  /** What the server wrote to its log so far. */
  log(): string
  stop(): Promise<void>
}

/** A line of the request log. */
export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly client: string
}

/** One request. */
export interface RawRequest {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A package to publish. */
export interface Sample {
  readonly name: string
  readonly version: string
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  readonly tag?: string
  readonly access?: 'public' | 'restricted'
}

/** Starts `holdfast serve` as people do. Ends with `stop`; nothing of it stays. */
export async function startRegistry(settings: Readonly<Record<string, string>> = {}): Promise<Registry> {
  const data = await mkdtemp(join(tmpdir(), 'holdfast-client-'))
  const own = { HOLDFAST_ORIGINS: 'none', ...settings }
  const child = spawn(process.execPath, [launcher, 'serve', '--port', '0', '--data', data], {
    cwd: data,
    env: environment(own),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const host = openHost()
  const errors: string[] = []
  child.stderr.on('data', piece => errors.push(String(piece)))
  const log = () => errors.join('')
  const stop = async () => {
    await Promise.all([end(child), host.close()])
    await rm(data, { recursive: true, force: true })
  }
  const holdfast = async (...args: string[]) =>
    saidBy(await host.run(data, own, [...args, '--data', data])).trim()
  const operate = (...args: string[]) => holdfast('operator', ...args)
  try {
    const url = await readAddress(child, log)
    if (settings['HOLDFAST_ORIGINS'] === undefined) await operate('host', '*')
    return {
      url,
      npm: `${url}/npm/`,
      data,
      holdfast,
      operate,
      token: (user, ...more) => operate('token', '--user', user, '--publish', '*', ...more),
      call: (path, request) => call(`${url}/npm${path}`, request),
      async until(path, isWanted) {
        for (const accept of ['*/*', 'application/vnd.npm.install-v1+json'])
          await until(() => call(`${url}/npm${path}`, { headers: { accept } }), isWanted, path)
      },
      publish: (sample, token) => publish(url, sample, token),
      requests: words => readRequests(log, words),
      log,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whatever configures this machine's own instance must not reach this one. */
function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([key]) => !key.startsWith('HOLDFAST_'))
  return { ...Object.fromEntries(rest), ...settings }
}

async function readAddress(child: ChildProcess, log: () => string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string) => reject(new Error(`the registry ${why}\n${log().slice(-4000)}`))
  const timer = setTimeout(() => fail(`was not ready within ${readyWithinMs / 1000} s`), readyWithinMs)
  child.once('close', code => fail(`ended with exit code ${code} before it listened`))
  if (child.stdout)
    // Goes on reading after the first line, because a full pipe would stop the server.
    createInterface(child.stdout).on('line', line => {
      const found = /^listening on (\S+)$/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  return promise.finally(() => clearTimeout(timer))
}

/** Lines are gathered for a tenth of a second before they are written. */
async function readRequests(log: () => string, words: string): Promise<LoggedRequest[]> {
  await delay(300)
  const lines = log()
    .split('\n')
    .filter(line => line.includes('"message":"request"'))
  return lines.map(line => JSON.parse(line) as LoggedRequest).filter(each => each.path.includes(words))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 12_000)
  await ended
  clearTimeout(timer)
}

async function call(
  url: string,
  { method = 'GET', token, headers, body }: RawRequest = {},
): Promise<Response> {
  return fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

async function until(
  ask: () => Promise<Response>,
  isWanted: (answer: Response) => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    if (await isWanted(await ask())) return
    await delay(100)
  }
  throw new Error(`${what} did not come to be as expected`)
}

async function publish(url: string, sample: Sample, token: string): Promise<void> {
  const answer = await call(`${url}/npm/${sample.name.replace('/', '%2f')}`, {
    method: 'PUT',
    token,
    body: publishBody(sample),
  })
  if (answer.status !== 201) throw new Error(`${sample.name}@${sample.version}: ${await answer.text()}`)
}

/** The body of npm's publish request for a sample, or for a tarball that is already there. */
export function publishBody(sample: Sample, tarball = packSample(sample)): Record<string, unknown> {
  const { name, version, tag = 'latest', access = null } = sample
  const dist = {
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
    tarball: `http://registry.example/${name}/-/${name}-${version}.tgz`,
  }
  const manifest = { ...manifestOf(sample), _id: `${name}@${version}`, _npmVersion: '11.0.0', dist }
  return {
    _id: name,
    name,
    access,
    'dist-tags': { [tag]: version },
    versions: { [version]: manifest },
    _attachments: {
      [`${name}-${version}.tgz`]: {
        content_type: 'application/octet-stream',
        data: tarball.toString('base64'),
        length: tarball.length,
      },
    },
  }
}

/** The tarball of a sample; the same bytes for the same sample. */
export function packSample(sample: Sample): Buffer {
  const main = `module.exports = ${JSON.stringify(`${sample.name}@${sample.version}`)}\n`
  return packPackage(manifestOf(sample), { 'index.js': main, ...sample.files })
}

function manifestOf({ name, version, manifest }: Sample): Record<string, unknown> {
  return { name, version, license: 'MIT', main: 'index.js', ...manifest }
}

/** A file of a folder, as text. */
export function readText(...path: string[]): Promise<string> {
  return readFile(join(...path), 'utf8')
}
