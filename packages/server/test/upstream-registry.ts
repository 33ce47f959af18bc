// SPDX-License-Identifier: Apache-2.0
/** A registry on loopback that stands for an upstream: it serves what a test gives it, and lies where a test wants it to. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatPublicKey } from '../src/remote/npm-key.ts'
import { packPackage } from './fixture/tarball.ts'
import type { Json } from './world.ts'

/** Answers a request in place of the registry, or does not: `false` leaves it to the registry. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean | undefined

export interface UpstreamRegistry {
  /** Without a slash at the end. */
  readonly url: string
  /** Every request so far, as `GET /path`, and its headers. */
  readonly asked: readonly { readonly line: string; readonly headers: IncomingMessage['headers'] }[]
  /** Documents by name, as they are served; a test may change them. */
  readonly documents: Map<string, Json>
  /** Bodies of tarballs by path. */
  readonly tarballs: Map<string, Buffer>
  /** Adds a version with its tarball, signed, published at a time (ms; long ago when not given). */
  publish(name: string, version: string, wishes?: UpstreamWishes): void
  /** Signs as the registry does. */
  sign(text: string): { keyid: string; sig: string }[]
  /** What it does with requests before it looks at them itself. */
  answer: Answer
  close(): Promise<void>
}

export interface UpstreamWishes {
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string | Buffer>>
  readonly dist?: Readonly<Record<string, unknown>>
  readonly publishedAt?: number
}

/** Starts one. Without `keys` it signs nothing and has none. */
export async function startUpstream({ keys = true } = {}): Promise<UpstreamRegistry> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = formatPublicKey(pair.publicKey, null)
  const asked: { line: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((request, response) => {
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers })
    if (registry.answer(request, response) !== true) serve(registry, keys ? [key] : [], request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const registry: UpstreamRegistry = {
    url,
    asked,
    documents: new Map(),
    tarballs: new Map(),
    publish: (name, version, wishes = {}) => publish(registry, keys, name, version, wishes),
    sign: text => [{ keyid: key.keyid, sig: signText(pair.privateKey, text) }],
    answer: () => false,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return registry
}

function signText(key: KeyObject, text: string): string {
  return sign('sha256', Buffer.from(text), key).toString('base64')
}

function publish(
  registry: UpstreamRegistry,
  keys: boolean,
  name: string,
  version: string,
  wishes: UpstreamWishes,
) {
  const manifest = { name, version, ...wishes.manifest }
  const tarball = packPackage(manifest, wishes.files)
  const path = `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const dist = {
    tarball: registry.url + path,
    shasum: createHash('sha1').update(tarball).digest('hex'),
    integrity,
    fileCount: 2,
    unpackedSize: tarball.length,
    ...(keys ? { signatures: registry.sign(`${name}@${version}:${integrity}`) } : {}),
    ...wishes.dist,
  }
  const at = new Date(wishes.publishedAt ?? Date.UTC(2020, 0, 1)).toISOString()
  const before = registry.documents.get(name)
  registry.tarballs.set(path, tarball)
  registry.documents.set(name, {
    _id: name,
    name,
    'dist-tags': { ...before?.['dist-tags'], latest: version },
    versions: { ...before?.versions, [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: at, ...before?.time, modified: at, [version]: at },
  })
}

function serve(
  { documents, tarballs }: UpstreamRegistry,
  keys: readonly unknown[],
  { url = '/', headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const path = decodeURIComponent(url.split('?')[0] ?? '/')
  const tarball = tarballs.get(path)
  const document = documents.get(path.slice(1))
  if (tarball !== undefined) return void response.end(tarball)
  if (path === '/-/npm/v1/keys' && keys.length > 0) return void response.end(JSON.stringify({ keys }))
  if (document === undefined) return void response.writeHead(404).end('{"error":"Not found"}')
  const text = JSON.stringify(document)
  const etag = `"${createHash('sha1').update(text).digest('hex')}"`
  if (headers['if-none-match'] === etag) return void response.writeHead(304).end()
  response.writeHead(200, { 'content-type': 'application/json', etag }).end(text)
}
