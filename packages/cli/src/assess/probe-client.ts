// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type ProbeInstance } from './probe.ts'
import { makePublishBody, type SamplePackage } from './sample-package.ts'

/** An answer of the instance, read to its end. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** Somebody who talks npm's protocol to the instance, with a token that may publish one probe's own names. */
export interface ProbeClient {
  readonly token: string
  /** Whose token it is. */
  readonly user: string
  /** A name in the probe's own scope. */
  nameOf(word: string): string
  /** A name of the probe's own outside its scope, which its token may not publish. */
  readonly looseName: string
  ask(method: string, path: string, options?: AskOptions): Promise<Reply>
  publish(sample: SamplePackage, token?: string): Promise<Reply>
}

/** What is not usual about one request. */
export interface AskOptions {
  readonly accept?: string
  readonly body?: string
  /** The token to use; an empty one for nobody. */
  readonly token?: string
  /** What `npm-otp` says. */
  readonly otp?: string
}

/** Hosts a fresh scope on the instance and makes a user with a token for it. */
export async function openProbeClient(instance: ProbeInstance): Promise<ProbeClient> {
  const id = `probe-${randomBytes(5).toString('hex')}`
  const looseName = `${id}-loose`
  await instance.operate('host', `@${id}/*`, looseName)
  const token = await makeProbeToken(instance, id, `@${id}/*`)
  const ask = (method: string, path: string, options: AskOptions = {}) =>
    send(`${instance.url}${path}`, method, { token, ...options })
  return {
    token,
    user: id,
    looseName,
    nameOf: word => `@${id}/${word}`,
    ask,
    publish: (sample, by = token) =>
      ask('PUT', `/npm/${encodeName(sample.name)}`, { body: makePublishBody(sample), token: by }),
  }
}

/** A token of one user for one pattern, made by the operator, good for an hour. */
export async function makeProbeToken(
  instance: ProbeInstance,
  user: string,
  pattern: string,
): Promise<string> {
  return (await instance.operate('token', '--user', user, '--publish', pattern, '--expires', '1h')).trim()
}

/** The name as clients put it into a path. */
export function encodeName(name: string): string {
  return name.replace('/', '%2f')
}

/** The path of a version's tarball, as clients rebuild it from name and version. */
export function tarballPath(name: string, version: string): string {
  return `/npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
}

/** The JSON of an answer, as an object; fails the probe when it is none. */
export function readObject(reply: Reply, what: string): Record<string, unknown> {
  demand(reply.status === 200, `${what} must answer 200, and answers ${describeReply(reply)}`)
  const value: unknown = JSON.parse(reply.body.toString('utf8'))
  demand(typeof value === 'object' && value !== null, `${what} must be a JSON object`)
  return value as Record<string, unknown>
}

/** Waits until it holds; fails the probe after a few seconds. A change is effective within one, documents and search follow it. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let looks = 0; !(await holds()); looks += 1) {
    demand(looks < 60, what)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** The versions in a packument, in their order. */
export async function listVersions(client: ProbeClient, name: string, accept?: string): Promise<string[]> {
  const reply = await client.ask('GET', `/npm/${encodeName(name)}`, accept === undefined ? {} : { accept })
  return Object.keys(readObject(reply, 'the packument')['versions'] ?? {})
}

/** Status and the beginning of the body, for messages. */
export function describeReply({ status, body }: Reply): string {
  return `${status} ${body.subarray(0, 300).toString('utf8').replace(/\s+/g, ' ')}`.trim()
}

async function send(url: string, method: string, options: AskOptions): Promise<Reply> {
  const headers = new Headers({ accept: options.accept ?? 'application/json' })
  if (options.token) headers.set('authorization', `Bearer ${options.token}`)
  if (options.otp !== undefined) headers.set('npm-otp', options.otp)
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  const init: RequestInit = { method, headers, redirect: 'manual', signal: AbortSignal.timeout(30_000) }
  const reply = await fetch(url, options.body === undefined ? init : { ...init, body: options.body })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}
