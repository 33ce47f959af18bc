// SPDX-License-Identifier: Apache-2.0
/** Where versions of upstreams were built: what their registries attest, verified and kept. */
import { type Digest, isProblem, type PackageName, problem, type Version } from '@holdfast/core'
import { decide, type Ingested, type OriginName, refuse, type UpstreamVersion } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import { type NewEvent, verifyProvenance } from '../integrity/index.ts'
import type { FindsUpstream, KeptAttestations, Ports } from '../ports.ts'
import { mapAhead } from './map-ahead.ts'
import { faultOf, grantIngest } from './upstream-fault.ts'
import { viewPackage } from './view.ts'

type Attesting = Pick<Ports, 'config' | 'clock'> & { readonly upstreams: FindsUpstream }

const againMs = 3600_000
const aRound = 100
const atOnce = 4

/** Whether a version's document promises attestations of where it was built, at an address that can be asked. */
export function isAttested({ provenance, attestations }: UpstreamVersion): boolean {
  return provenance !== 'none' && attestations !== ''
}

/**
 * Asks for the attestations of bytes that came in, and verifies them. Undefined where they cannot be had now, which holds
 * nobody up: they are asked for again.
 */
export async function fetchProvenance(
  ports: Attesting,
  name: PackageName,
  origin: OriginName,
  { version, attestations: address }: UpstreamVersion,
  digest: Digest,
): Promise<KeptAttestations | undefined> {
  try {
    const text = await ports.upstreams.get(origin)?.readAttestations(address)
    return text === undefined ? undefined : await examine(ports, { name, version, digest }, text)
  } catch (error) {
    if (!isProblem(error)) throw error
    return undefined
  }
}

async function examine(
  { config, clock }: Pick<Ports, 'config' | 'clock'>,
  subject: { readonly name: PackageName; readonly version: Version; readonly digest: Digest },
  text: string,
): Promise<KeptAttestations | undefined> {
  const finding = await verifyProvenance({ text, subject, rootFiles: config.sigstoreTrustRoot })
  return finding && { text, finding, checkedAt: clock() }
}

/** That a version's attestations do not hold; none where they do, or nobody can say. */
export function accuseProvenance(
  pkg: PackageName,
  ver: Version,
  origin: OriginName,
  kept: KeptAttestations | undefined,
): readonly NewEvent[] {
  if (kept?.finding.kind !== 'broken') return []
  return [faultOf(origin, pkg, ver, `its attestations do not hold: ${kept.finding.why}`)]
}

/**
 * Looks at what was not looked at when its bytes came in: of older versions, which wait for nobody, of those whose registry
 * did not answer, and of all that is kept once there is a trust root. A bounded number, again after an hour.
 */
export async function settleProvenance(ports: Ports): Promise<void> {
  const { store, config, clock } = ports
  const states: readonly Ingested['provenance'][] =
    config.sigstoreTrustRoot.length === 0 ? ['due'] : ['due', 'unverified']
  const due = await store.provenance.listDue(states, clock() - againMs, aRound)
  for await (const _ of mapAhead(due, atOnce, each => settle(ports, each)));
}

async function settle(
  ports: Ports,
  { name, version, origin, digest }: Awaited<ReturnType<Ports['store']['provenance']['listDue']>>[number],
): Promise<void> {
  const { store, clock } = ports
  // First, so that one whose look ends badly does not stand before all others in each round.
  await store.provenance.markLooked(name, version, clock())
  const before = await store.provenance.find(name, version)
  const told = (await store.mirrors.find(name))?.versions.find(each => each.version === version)
  const kept =
    before !== undefined
      ? await examine(ports, { name, version, digest }, before.text)
      : told && isAttested(told) && (await fetchProvenance(ports, name, origin, told, digest))
  if (!kept) return
  const faults = accuseProvenance(name, version, origin, kept)
  if (faults.length === 0) return store.provenance.note(name, version, kept)
  await store.commit(await grantIngest(ports), faults, async tx => {
    await tx.upstream.noteAttestations(name, version, kept)
    await tx.upstream.touchMirror(name)
  })
}

/**
 * The attestations that are kept of a version, for somebody who may read it and whom the gate would give its bytes. Throws
 * `attestations-not-found` where there are none, or they do not hold.
 */
export async function readAttestations(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<string> {
  await authorize(ports, actor, 'package:read', name)
  const view = await viewPackage(ports, name)
  if (view === undefined) throw problem('package-not-found', { name })
  const facts = view.versions.find(each => each.version === version)
  if (facts === undefined) throw problem('version-not-found', { name, version })
  if (!decide(facts).served) throw refuse(name, facts, view.versions)
  const text = view.known ? await findUpstreams(ports, name, version) : await findOwn(ports, name, version)
  if (text === undefined) throw problem('attestations-not-found', { name, version })
  return text
}

async function findUpstreams({ store }: Ports, name: PackageName, version: Version) {
  const kept = await store.provenance.find(name, version)
  return kept?.finding.kind === 'broken' ? undefined : kept?.text
}

/** In npm's wire form around the bundle as it was published. */
async function findOwn({ store }: Ports, name: PackageName, version: Version): Promise<string | undefined> {
  const kept = await store.trust.findProvenance(name, version)
  return (
    kept && `{"attestations":[{"predicateType":${JSON.stringify(kept.predicateType)},"bundle":${kept.text}}]}`
  )
}
