// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, makeProbeToken, type Reply, readObject } from '../probe-client.ts'

/** A build's own word is verified before anything is kept, is served as it came, and a package never proves less than it did. */
export const provenance: Probe = { capability: 'authz-3-provenance', run }

/** What a Sigstore of the past signed (`scripts/record-provenance.ts`): the last of these comes from another repository. */
interface Recorded {
  readonly name: string
  readonly trustedRoot: object
  readonly built: readonly Built[]
}

interface Built {
  readonly version: string
  readonly repository: string
  /** Base64. */
  readonly tarball: string
  readonly bundle: string
}

/** Bundles are good for an hour by default, and these were signed once. */
const longAgo = String(100 * 365 * 24 * 60)

async function run(instance: ProbeInstance): Promise<Evidence> {
  const recorded = JSON.parse(
    await readFile(new URL('../recorded-provenance.json', import.meta.url), 'utf8'),
  ) as Recorded
  const [first, second, other] = recorded.built
  demand(first !== undefined && second !== undefined && other !== undefined, 'three builds are recorded')
  const root = { HOLDFAST_SIGSTORE_TRUST_ROOT: writeRoot(recorded.trustedRoot) }
  const publish = await openPublisher(instance, recorded.name, {
    ...root,
    HOLDFAST_PROVENANCE_MAX_AGE_MINUTES: longAgo,
  })
  await checkTampered(publish, first, second)
  await checkServed(publish, first)
  await checkNeverLess(publish, second, other)
  const strict = await openPublisher(instance, recorded.name, {
    ...root,
    HOLDFAST_PROVENANCE_MAX_AGE_MINUTES: '1',
  })
  demandRefused(await strict.publish(first), 'provenance-old', 'a bundle that was signed long ago')
  return [
    'a bundle whose statement or signature was changed, one of another version and one without a log entry are refused, and nothing is kept',
    'a bundle that holds is accepted, served byte for byte as it came, and the page and the API name repository and commit of its certificate',
    'after it a version without provenance and one that was built from another repository are refused; the next good one goes in',
    'a bundle that was signed before the time that counts is refused',
  ]
}

/** A file with the root; it goes when the process ends. */
function writeRoot(trustedRoot: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-probe-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'trusted_root.json')
  writeFileSync(file, JSON.stringify(trustedRoot))
  return file
}

/** Somebody who may publish the package, on an instance of its own. */
interface Publisher {
  readonly name: string
  get(path: string): Promise<Reply>
  publish(built: Built, bundle?: string): Promise<Reply>
}

async function openPublisher(
  instance: ProbeInstance,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<Publisher> {
  const other = await instance.startOther(settings)
  await other.operate('host', name)
  const token = await makeProbeToken(other, 'probe', name)
  const ask = async (method: string, path: string, body?: string): Promise<Reply> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const reply = await fetch(other.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
    return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
  }
  return {
    name,
    get: path => ask('GET', path),
    publish: (built, bundle = built.bundle) => ask('PUT', `/npm/${name}`, bodyOf(name, built, bundle)),
  }
}

/** The body of `npm publish --provenance-file`; an empty bundle for none. */
function bodyOf(name: string, { version, repository, tarball }: Built, bundle: string): string {
  const bytes = Buffer.from(tarball, 'base64')
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const shasum = createHash('sha1').update(bytes).digest('hex')
  const manifest = { name, version, repository, _id: `${name}@${version}`, dist: { integrity, shasum } }
  const attached = { content_type: 'application/octet-stream', data: tarball, length: bytes.length }
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  const attachedBundle = { content_type: type, data: bundle, length: bundle.length }
  return JSON.stringify({
    ...{ _id: name, name, access: 'public', 'dist-tags': { latest: version } },
    versions: { [version]: manifest },
    _attachments: {
      [`${name}-${version}.tgz`]: attached,
      ...(bundle === '' ? {} : { [`${name}-${version}.sigstore`]: attachedBundle }),
    },
  })
}

async function checkTampered(publisher: Publisher, first: Built, second: Built): Promise<void> {
  const faults: readonly (readonly [what: string, bundle: string])[] = [
    ['a bundle whose statement was changed', changeBundle(first.bundle, changeStatement)],
    ['a bundle whose signature was changed', changeBundle(first.bundle, changeSignature)],
    ['a bundle without an entry in a transparency log', changeBundle(first.bundle, dropEntry)],
    ['the bundle of another version', second.bundle],
  ]
  for (const [what, bundle] of faults) {
    demandRefused(await publisher.publish(first, bundle), 'provenance-refused', what)
    const there = await publisher.get(`/npm/${publisher.name}`)
    demand(there.status === 404, `nothing of a refused version may be kept: ${describeReply(there)}`)
  }
}

interface Bundle {
  readonly verificationMaterial: { tlogEntries: unknown[] }
  readonly dsseEnvelope: { payload: string; readonly signatures: { sig: string }[] }
}

function changeBundle(bundle: string, change: (bundle: Bundle) => void): string {
  const opened = JSON.parse(bundle) as Bundle
  change(opened)
  return JSON.stringify(opened)
}

function changeStatement({ dsseEnvelope }: Bundle): void {
  const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString()
  dsseEnvelope.payload = Buffer.from(statement.replace('refs/heads/main', 'refs/heads/mine')).toString(
    'base64',
  )
}

function changeSignature({ dsseEnvelope }: Bundle): void {
  for (const each of dsseEnvelope.signatures) {
    const bytes = Buffer.from(each.sig, 'base64')
    const last = bytes.length - 1
    bytes[last] = (bytes[last] ?? 0) ^ 1
    each.sig = bytes.toString('base64')
  }
}

function dropEntry({ verificationMaterial }: Bundle): void {
  verificationMaterial.tlogEntries = []
}

function demandRefused(reply: Reply, code: string, what: string): void {
  const said = (reply.status >= 400 ? JSON.parse(reply.body.toString()) : {}) as { code?: string }
  demand(said.code === code, `${what} must be refused as ${code}: ${describeReply(reply)}`)
}

async function checkServed(publisher: Publisher, built: Built): Promise<void> {
  const { name } = publisher
  const published = await publisher.publish(built)
  demand(published.status === 201, `provenance that holds must be accepted: ${describeReply(published)}`)
  const served = await publisher.get(`/npm/-/npm/v1/attestations/${name}@${built.version}`)
  const isAsItCame = served.status === 200 && served.body.toString().includes(built.bundle)
  demand(isAsItCame, `the bundle must be served as it came: ${describeReply(served)}`)
  const told = await publisher.get(`/api/v1/provenance/npm/${name}/${built.version}`)
  const commit = 'a'.repeat(40)
  const facts = JSON.stringify(readObject(told, 'what the provenance proves'))
  demand(
    facts.includes('https://github.com/acme/widget') && facts.includes(commit),
    `repository and commit must be told: ${describeReply(told)}`,
  )
  const page = await publisher.get(`/package/npm/${name}?show=security`)
  demand(page.body.includes('github.com/acme/widget'), 'the page must name the repository')
}

async function checkNeverLess(publisher: Publisher, second: Built, other: Built): Promise<void> {
  const without = await publisher.publish(second, '')
  demandRefused(without, 'trust-downgrade', 'a version without provenance, after one that has it,')
  const elsewhere = await publisher.publish(other)
  demandRefused(elsewhere, 'trust-downgrade', 'a version that was built from another repository')
  const next = await publisher.publish(second)
  demand(next.status === 201, `the next version that proves as much must go in: ${describeReply(next)}`)
}
