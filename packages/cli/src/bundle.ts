// SPDX-License-Identifier: Apache-2.0
/** What can be checked of a bundle of provenance without a Sigstore library: which bytes it is, what it is about, where it is logged. */
import { createHash } from 'node:crypto'
import {
  formatIntegrity,
  formatPurl,
  hashLeaf,
  parseDigest,
  parseJson,
  parseLogProof,
  parsePackageName,
  parseVersion,
  readLeaf,
  verifyInclusion,
} from '@holdfast/core'
import { verifyCheckpoint } from './log/checkpoint.ts'
import { Misbehaviour } from './log/misbehaviour.ts'
import { nodeCrypto } from './log/node-crypto.ts'
import { listTrust } from './log/trust.ts'
import { fetchBounded, type Registry } from './registry.ts'

/** What a registry says of a bundle. */
export interface ToldBundle {
  readonly sha256: string
  readonly root: string
  readonly signedAt: number
  readonly verifiedAt: number
}

/** One thing that was checked, or could not be. */
export interface BundleCheck {
  readonly what: string
  readonly state: 'holds' | 'fails' | 'open'
  readonly why: string
}

/** A version as the registry tells of it. */
export interface ToldVersion {
  readonly name: string
  readonly version: string
  readonly integrity: string
  /** Of its bundle, in hex. */
  readonly sha256: string
}

const maxBundleBytes = 1536 * 1024
const maxProofBytes = 131_072

/** Fetches the bundle, and the proof of its version, and checks both against what the registry told. */
export async function checkBundleOf(registry: Registry, told: ToldVersion): Promise<readonly BundleCheck[]> {
  const bundle = await fetchBundle(registry, told)
  return [
    judge('the bundle is the one that was published', sha256(bundle) === told.sha256),
    judge('it is about these very bytes', isAbout(bundle, told)),
    await checkLogged(registry, told),
    { what: 'who signed it', state: 'open', why: 'the registry checked that; npm audit signatures does too' },
  ]
}

function judge(what: string, holds: boolean): BundleCheck {
  return { what, state: holds ? 'holds' : 'fails', why: '' }
}

/** As it was published: the text inside of npm's form, byte for byte. */
async function fetchBundle(registry: Registry, { name, version }: ToldVersion): Promise<string> {
  const answer = await fetchBounded(
    registry,
    'GET',
    `npm/-/attestations/v1/${name}@${version}`,
    maxBundleBytes,
  )
  const text = answer.isOk ? Buffer.from(answer.body).toString('utf8') : ''
  const [, bundle = ''] =
    /^\{"attestations":\[\{"predicateType":"[^"\\]*","bundle":(.*)\}\]\}$/s.exec(text) ?? []
  return bundle
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isAbout(bundle: string, { name, version, integrity }: ToldVersion): boolean {
  try {
    const { dsseEnvelope } = parseJson(bundle) as { dsseEnvelope: { payload: string } }
    const payload = Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8')
    const { subject } = parseJson(payload) as { subject: { name: string; digest: { sha512: string } }[] }
    const [said] = subject
    const purl = formatPurl(parsePackageName(name), parseVersion(version))
    return said?.name === purl && formatIntegrity(parseDigest(said.digest.sha512)) === integrity
  } catch {
    return false
  }
}

/** Whether the log of the registry names the bundle; proved only where somebody pinned whom to believe. */
async function checkLogged(registry: Registry, told: ToldVersion): Promise<BundleCheck> {
  const what = 'the log of the registry names it'
  const query = `log/proof?pkg=${encodeURIComponent(told.name)}&ver=${encodeURIComponent(told.version)}`
  const answer = await fetchBounded(registry, 'GET', query, maxProofBytes)
  if (!answer.isOk) return { what, state: 'open', why: 'the registry gives no proof of it' }
  const { checkpoint: note, ...proof } = parseLogProof(Buffer.from(answer.body).toString('utf8'))
  const { link, type, fields } = readLeaf(proof.entry)
  const { integrity } = (fields['dist'] ?? {}) as { integrity?: unknown }
  const attest = (fields['attest'] ?? []) as readonly { sha256?: unknown }[]
  const isNamed =
    type === 'publish' &&
    link?.pkg === told.name &&
    fields['ver'] === told.version &&
    integrity === told.integrity &&
    attest.some(each => each.sha256 === told.sha256)
  if (!isNamed) return { what, state: 'fails', why: `entry ${proof.index} says something else` }
  const trust = (await listTrust()).find(each => each.url === registry.url)
  if (trust === undefined)
    return {
      what,
      state: 'open',
      why: `entry ${proof.index} does; nothing is pinned here to prove that it is in the log`,
    }
  const { size, root } = await verifyCheckpoint(trust, note)
  const leaf = await hashLeaf(nodeCrypto, proof.entry)
  const { index, path } = proof
  if (await verifyInclusion(nodeCrypto, { leaf, index, size, path, root }))
    return { what, state: 'holds', why: `entry ${index} of ${trust.origin}, proved` }
  throw new Misbehaviour(
    `the log's proof of entry ${index} does not hold`,
    'Keep what the registry answered, and ask its operator by another way.',
  )
}
