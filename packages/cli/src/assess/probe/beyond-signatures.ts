// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  encodeName,
  listVersions,
  openProbeClient,
  type ProbeClient,
  readObject,
  tarballPath,
} from '../probe-client.ts'
import { findProbeUpstream, type UpstreamSample } from '../probe-upstream.ts'
import { isSigned, type RegistryKeys, readKeys } from '../registry-signature.ts'

/** What an upstream signed or attests badly stays out, and whatever goes out verifies with the instance's published keys. */
export const signatures: Probe = { capability: 'beyond-signatures', run }

const good = '1.0.0'
const bad = '1.0.1'

/** As the default list has them, with the one on provenance enforced too. */
const policy = [
  { kind: 'signature', mode: 'enforce' },
  { kind: 'provenance', action: 'hold', mode: 'enforce' },
]

/** What can be wrong with a version of an upstream that has keys, with the word of the package to which it happens. */
const faults: readonly (readonly [word: string, what: string, how: Partial<UpstreamSample>])[] = [
  ['forged', 'signed for another version', { isSignatureWrong: true }],
  ['bare', 'not signed, though earlier ones are', { isUnsigned: true }],
  ['attested', 'attested by what nobody signed', { isAttestationWrong: true }],
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const rules = { HOLDFAST_POLICY: JSON.stringify(policy), HOLDFAST_SIGSTORE_TRUST_ROOT: findTrustRoot() }
  const other = await instance.startOther({ ...upstream.settings, ...rules })
  const client = await openProbeClient(other)
  const keys = await fetchKeys(client)
  for (const [word, what, how] of faults) {
    const name = upstream.nameOf(word)
    upstream.publish({ name, version: good })
    // Old enough for the release age, and so young that its attestations are looked at before its bytes go out.
    upstream.publish({ name, version: bad, ageDays: 5, ...how })
    await checkRefused(client, name, what)
    await checkSigned(client, keys, name)
  }
  const ours = client.nameOf('ours')
  const published = await client.publish({ name: ours, version: good })
  demand(published.status < 300, `publishing must work, and answers ${describeReply(published)}`)
  await checkSigned(client, keys, ours)
  return [
    `refused by its address and not listed, where the rules are enforced: a version that is ${faults.map(([, what]) => what).join(', one that is ')}`,
    'what goes out, hosted here or from the upstream, is signed over name, version and digest by a published key',
    'the digest that is signed is the one of the bytes that come',
  ]
}

let trustRoot: string | undefined

/** A file with the trust root of this process; it goes when the process ends. */
function findTrustRoot(): string {
  if (trustRoot !== undefined) return trustRoot
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-probe-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  trustRoot = join(folder, 'trusted_root.json')
  writeFileSync(trustRoot, makeTrustRoot())
  return trustRoot
}

/** Of a Sigstore that never signed anything: it takes one to say of an attestation that it does not hold. */
function makeTrustRoot(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rawBytes = publicKey.export({ type: 'spki', format: 'der' })
  const key = { rawBytes: rawBytes.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256' }
  const keyId = createHash('sha256').update(rawBytes).digest('base64')
  const log = {
    baseUrl: 'https://log.probe.example',
    hashAlgorithm: 'SHA2_256',
    publicKey: { ...key, validFor: { start: '2020-01-01T00:00:00Z' } },
    logId: { keyId },
  }
  const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'
  const none = { certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] }
  return JSON.stringify({ mediaType, tlogs: [log], ...none })
}

async function checkRefused(client: ProbeClient, name: string, what: string): Promise<void> {
  const reply = await client.ask('GET', tarballPath(name, bad))
  demand(reply.status === 403, `the bytes of a version ${what} must be refused: ${describeReply(reply)}`)
  const listed = await listVersions(client, name)
  demand(listed.join() === good, `a version ${what} must not be listed, and there are ${listed.join(', ')}`)
}

/** Published keys by id, in SPKI. */
async function fetchKeys(client: ProbeClient): Promise<RegistryKeys> {
  const document = readObject(await client.ask('GET', '/npm/-/npm/v1/keys'), 'the list of keys')
  const keys = readKeys(document)
  demand(keys.size > 0, 'the instance must publish its keys')
  return keys
}

interface Dist {
  readonly integrity?: string
  readonly signatures?: unknown
}

/** As `npm audit signatures` does it, and the digest against the bytes. */
async function checkSigned(client: ProbeClient, keys: RegistryKeys, name: string): Promise<void> {
  const reply = await client.ask('GET', tarballPath(name, good))
  demand(reply.status === 200, `the bytes of ${name}@${good} must come: ${describeReply(reply)}`)
  const document = readObject(await client.ask('GET', `/npm/${encodeName(name)}`), 'the packument')
  const { dist = {} } = (document['versions'] as Record<string, { dist?: Dist }>)[good] ?? {}
  const integrity = `sha512-${createHash('sha512').update(reply.body).digest('base64')}`
  demand(dist.integrity === integrity, `the integrity of ${name} must be that of its bytes`)
  const holds = isSigned(`${name}@${good}`, integrity, dist.signatures, keys)
  demand(holds, `${name} must go out with a signature that verifies with a published key`)
}
