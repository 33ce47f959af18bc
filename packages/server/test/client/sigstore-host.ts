// SPDX-License-Identifier: Apache-2.0
/**
 * The public Sigstore's hosts as npm knows them, on loopback: a proxy leads their names to a server with a throw-away
 * certificate in front of a box, and every other name nowhere.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer as createProxy, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { dirname, join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { makeSelfSigned } from '../self-signed.ts'
import { dsseEntry, extensionsOf, type SigstoreBox } from '../sigstore-box.ts'

export interface SigstoreHost {
  /** Environment of a client that reaches them, and nobody else but loopback. */
  env(home: string): Promise<Readonly<Record<string, string>>>
  /** Lays the root of trust where npm keeps those that it has seen before: one to audit, one to publish a file. */
  trustIn(home: string): Promise<void>
  /** What was asked for: method, host and path. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: what npm sends
type Json = any

const mirror = 'tuf-repo-cdn.sigstore.dev'
const hosts = ['fulcio.sigstore.dev', 'rekor.sigstore.dev', mirror]

/** Opens them in front of a box; identity tokens are those of this issuer. */
export async function openSigstoreHost(box: SigstoreBox, issuer: string): Promise<SigstoreHost> {
  const tls = makeSelfSigned(hosts)
  const trust = makeTrust(JSON.stringify(box.trustedRoot))
  const asked: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? ''
    asked.push(`${request.method} ${request.headers.host}${path}`)
    if (path === '/api/v2/signingCert') return giveCertificate(box, issuer, request, response)
    if (path === '/api/v1/log/entries') return logEntry(box, request, response)
    const file = trust.get(path)
    response.writeHead(file === undefined ? 404 : 200).end(file)
  }
  const server = createServer(tls, (request, response) => {
    answer(request, response).catch(error => response.writeHead(400).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = createProxy()
  proxy.on('connect', (request, socket) => {
    const [host] = (request.url ?? '').split(':')
    if (!hosts.includes(host ?? '')) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const tunnel = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      tunnel.pipe(socket)
      socket.pipe(tunnel)
    })
    tunnel.on('error', () => socket.destroy())
    socket.on('error', () => tunnel.destroy())
    return undefined
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  return {
    asked,
    async env(home) {
      const file = join(home, 'sigstore-ca.pem')
      await writeFile(file, tls.cert)
      const names = {
        HTTPS_PROXY: address,
        https_proxy: address,
        NO_PROXY: '127.0.0.1',
        no_proxy: '127.0.0.1',
      }
      return { ...names, NODE_EXTRA_CA_CERTS: file, NODE_USE_ENV_PROXY: '1' }
    },
    async trustIn(home) {
      for (const folder of ['cache/npm/_tuf', 'data/sigstore-js']) {
        const file = join(home, folder, mirror, 'root.json')
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, trust.get('/1.root.json') ?? '')
      }
    },
    async close() {
      for (const each of [server, proxy]) {
        each.closeAllConnections()
        each.close()
      }
    },
  }
}

/** A certificate for whoever holds an identity token of the issuer. */
async function giveCertificate(
  box: SigstoreBox,
  issuer: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { credentials, publicKeyRequest } = await readJson(request)
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  const wanted = { issuer, audience: 'sigstore' }
  const { payload } = await jwtVerify(credentials.oidcIdentityToken, keys, wanted)
  const claims = payload as Record<string, string>
  const certificate = await box.certificateAuthority.issueCertificate({
    publicKey: fromPem(publicKeyRequest.publicKey.content),
    subjectAltName: `https://github.com/${claims['job_workflow_ref']}`,
    extensions: extensionsOf(claims).map(([n, value]) => ({ oid: `1.3.6.1.4.1.57264.1.${n}`, value })),
  })
  const certificates = [certificate, box.certificateAuthority.rootCertificate].map(toPem)
  reply(response, { signedCertificateEmbeddedSct: { chain: { certificates } } })
}

async function logEntry(box: SigstoreBox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { kind, spec } = await readJson(request)
  if (kind !== 'dsse') throw new Error(`npm logs ${kind} now`)
  const { envelope, verifiers } = spec.proposedContent
  const pem = Buffer.from(verifiers[0], 'base64').toString()
  reply(response, await box.log.log(dsseEntry(JSON.parse(envelope), pem)))
}

async function readJson(request: IncomingMessage): Promise<Json> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString())
}

function reply(response: ServerResponse, body: unknown): void {
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function fromPem(pem: string): Buffer {
  return Buffer.from(pem.replace(/-{5}.*-{5}|\s/g, ''), 'base64')
}

function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** A TUF repository with one target, every role by one key: its files by their paths. */
function makeTrust(target: string): ReadonlyMap<string, string> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = publicKey.export({ format: 'jwk' })
  const key = {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: Buffer.from(jwk.x ?? '', 'base64url').toString('hex') },
  }
  const keyid = sha256(canonical(key))
  const seal = (role: string, more: object) => {
    const signed = {
      _type: role,
      spec_version: '1.0.31',
      version: 1,
      expires: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, ''),
      ...more,
    }
    const sig = sign(null, Buffer.from(canonical(signed)), privateKey).toString('hex')
    return JSON.stringify({ signatures: [{ keyid, sig }], signed })
  }
  const role = { keyids: [keyid], threshold: 1 }
  const roles = { root: role, timestamp: role, snapshot: role, targets: role }
  const name = 'trusted_root.json'
  const hashes = { sha256: sha256(target) }
  return new Map([
    ['/1.root.json', seal('root', { consistent_snapshot: true, keys: { [keyid]: key }, roles })],
    ['/timestamp.json', seal('timestamp', { meta: { 'snapshot.json': { version: 1 } } })],
    ['/1.snapshot.json', seal('snapshot', { meta: { 'targets.json': { version: 1 } } })],
    ['/1.targets.json', seal('targets', { targets: { [name]: { length: target.length, hashes } } })],
    [`/targets/${hashes.sha256}.${name}`, target],
  ])
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with its keys in order, as TUF signs it. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}
