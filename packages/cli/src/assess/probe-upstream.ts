// SPDX-License-Identifier: Apache-2.0
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Settings } from './probe.ts'
import { makeTarball } from './sample-package.ts'

/** A registry on loopback that stands for the public one: it says what a probe has it say, true or not. */
export interface ProbeUpstream {
  /** What makes an instance take everything from here that it does not host, and read its feed of changes. */
  readonly settings: Settings
  /** Every path that was asked for, decoded. */
  readonly asked: readonly string[]
  /** A name of its own that no other probe uses. */
  nameOf(word: string): string
  publish(sample: UpstreamSample): void
  /** Takes a version away, or the whole package without one. Its ETag stays as it was: it is the same for everything. */
  withdraw(name: string, version?: string): void
}

/** A version as the upstream tells it. */
export interface UpstreamSample {
  readonly name: string
  readonly version: string
  /** In days; long ago where none is given. */
  readonly ageDays?: number
  /** What its manifest says beyond name and version. */
  readonly manifest?: Readonly<Record<string, unknown>>
  /** Goes into a file of the tarball, so that two samples of one version differ. */
  readonly content?: string
  readonly scripts?: Readonly<Record<string, string>>
  /** Files beside the two that every sample has. */
  readonly files?: Readonly<Record<string, string>>
  /** Its signature is of another version. */
  readonly isSignatureWrong?: boolean
  readonly isUnsigned?: boolean
  /** It claims to be attested, by something that nobody signed. */
  readonly isAttestationWrong?: boolean
}

interface Document {
  readonly name: string
  readonly 'dist-tags': { latest: string }
  readonly versions: Record<string, object>
  readonly time: Record<string, string>
}

const dayMs = 24 * 3600_000
const attestations = '/-/npm/v1/attestations/'
const predicateType = 'https://slsa.dev/provenance/v1'
let opened: Promise<ProbeUpstream> | undefined

/** The one of this process, as there is one public registry for everybody; it keeps no process alive. */
export function findProbeUpstream(): Promise<ProbeUpstream> {
  opened ??= open()
  return opened
}

async function open(): Promise<ProbeUpstream> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const keyid = `SHA256:${createHash('sha256').update(der).digest('base64')}`
  const key = { expires: null, keyid, keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256' }
  const documents = new Map<string, Document>()
  const tarballs = new Map<string, Buffer>()
  const changed: string[] = []
  const asked: string[] = []
  const answer = (path: string, query: URLSearchParams): unknown => {
    if (path === '/-/npm/v1/keys') return { keys: [{ ...key, key: der.toString('base64') }] }
    if (path.startsWith(attestations)) return { attestations: [{ predicateType, bundle: {} }] }
    if (path === '/_changes') return readChanges(changed, query.get('since'))
    return documents.get(path.slice(1))
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const path = decodeURIComponent(pathname)
    asked.push(path)
    const body = tarballs.get(path) ?? JSON.stringify(answer(path, searchParams))
    response.writeHead(body === undefined ? 404 : 200, { etag: '"as ever"' }).end(body ?? '{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const attest = (name: string, version: string) => ({
    attestations: { url: `${url}${attestations}${name}@${version}`, provenance: { predicateType } },
  })
  return {
    settings: {
      HOLDFAST_ORIGINS: JSON.stringify({ upstream: url }),
      HOLDFAST_UPSTREAM_NAMES: `${url}/_changes`,
      HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
      HOLDFAST_MFA: 'optional',
    },
    asked,
    nameOf: word => `probe-${word}-${randomBytes(5).toString('hex')}`,
    publish(sample) {
      const { name, version, ageDays = 400, content = '', scripts = {}, files = {} } = sample
      const bytes = makeTarball({ name, version, content, scripts, files })
      const path = `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
      const attested = sample.isAttestationWrong ? attest(name, version) : {}
      const dist = { tarball: url + path, ...signedDist(sample, bytes, keyid, privateKey), ...attested }
      const manifest = { name, version, scripts, _npmUser: { name: 'ann', email: 'ann@probe.example' }, dist }
      const at = new Date(Date.now() - ageDays * dayMs).toISOString()
      const before = documents.get(name)
      tarballs.set(path, bytes)
      changed.push(name)
      documents.set(name, {
        name,
        'dist-tags': { latest: version },
        versions: { ...before?.versions, [version]: { ...manifest, ...sample.manifest } },
        time: { created: at, ...before?.time, modified: at, [version]: at },
      })
    },
    withdraw(name, version) {
      const document = documents.get(name)
      if (document === undefined || version === undefined) return void documents.delete(name)
      delete document.versions[version]
      delete document.time[version]
      document['dist-tags'].latest = Object.keys(document.versions).at(-1) ?? ''
    },
  }
}

function signedDist(
  { name, version, isSignatureWrong, isUnsigned }: UpstreamSample,
  bytes: Buffer,
  keyid: string,
  key: KeyObject,
) {
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const signed = `${name}@${isSignatureWrong ? '0.0.0' : version}:${integrity}`
  const sig = createSign('sha256').update(signed).sign(key, 'base64')
  const shasum = createHash('sha1').update(bytes).digest('hex')
  return { integrity, shasum, ...(isUnsigned ? {} : { signatures: [{ keyid, sig }] }) }
}

/** CouchDB's form: numbers begin above what an empty feed says. */
function readChanges(changed: readonly string[], since: string | null) {
  const from = since === 'now' ? changed.length : Math.max(0, Number(since) - 1)
  const results = changed.slice(from).map((id, at) => ({ seq: from + at + 2, id }))
  return { results, last_seq: changed.length + 1 }
}
