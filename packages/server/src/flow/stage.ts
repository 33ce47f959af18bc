// SPDX-License-Identifier: Apache-2.0
/** Versions that wait for somebody else's approval: they are looked into like published ones, and nobody else sees them. */
import { randomUUID } from 'node:crypto'
import { formatIntegrity, isProblem, type PackageName, problem } from '@holdfast/core'
import { approvalsOf, type Package, type StageApproval, type Staged } from '../catalog/index.ts'
import { type Actor, actorId, authorize, type Grant, may } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { BlobReader, KeptProvenance, Ports, Tx, WrittenBytes } from '../ports.ts'
import { checkStillTrusted, describeJob, withJob } from './job.ts'
import { addLetters, hostOf } from './letter.ts'
import { checkTrust } from './package-trust.ts'
import { checkClaims, inspect, publishEvent, type Upload } from './publish.ts'
import { admitProvenance } from './publish-provenance.ts'

/** How long a version waits for its approval. */
export const stageMs: number = 7 * 24 * 3600_000

const maxStaged = 20
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Lets one version wait for approval. It asks for no second factor: whoever approves shows theirs. Looked into and refused
 * like a publish; name and number are taken until somebody decides. The same hand staging the same bytes again gets the same
 * answer. Throws `stage-needs-package`, `version-staged`, `version-exists`, `too-many`.
 */
export async function stageVersion(ports: Ports, actor: Actor, upload: Upload): Promise<Staged> {
  try {
    const { grant, known } = await openForStage(ports, actor, upload.name)
    await ports.log.checkRoom()
    const bytes = checkClaims(upload)
    const there = await findSame(ports, actor, upload, bytes)
    if (there !== undefined) return there
    const inspection = await inspect(ports, upload)
    const proof = await admitProvenance(ports, actor, { ...upload, ...bytes, access: known.access })
    await checkTrust(ports.store, actor.kind === 'job', upload, proof, ports.clock())
    await upload.tarball.keep()
    // A crash here leaves bytes that nothing names, as in a publish.
    const staged = toStaged(ports, grant, upload, bytes, proof)
    const dist = publishEvent(upload, bytes, inspection).fields?.['dist'] ?? {}
    const added = stageEvent(staged, 'stage', { op: 'add', dist }, { tag: upload.tag })
    await ports.store.commit(grant, await withJob(ports, actor, added), tx => keep(tx, ports, grant, staged))
    return staged
  } finally {
    await upload.tarball.discard()
  }
}

/** Who may stage. The same for a package that is not there and one that they may not see. */
export async function openForStage(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<{ grant: Grant; known: Package }> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  const known = await ports.store.catalog.findPackage(name)
  const missing = problem('stage-needs-package', { name })
  if (known === undefined) throw missing
  try {
    return { known, grant: await authorize(ports, actor, 'package:stage', name) }
  } catch (error) {
    throw isProblem(error) && error.code === 'package-not-found' ? missing : error
  }
}

/** What this hand staged before, with these bytes. Throws where the number is taken otherwise. */
async function findSame(
  { store }: Ports,
  actor: Actor,
  { name, version, tag }: Upload,
  bytes: WrittenBytes,
): Promise<Staged | undefined> {
  if ((await store.catalog.findVersion(name, version)) !== undefined)
    throw problem('version-exists', { name, version })
  const there = await store.stages.findByVersion(name, version)
  if (there === undefined) return undefined
  if (there.digest === bytes.digest && there.stagerId === actorId(actor) && there.tag === tag) return there
  throw problem('version-staged', { name, version })
}

function toStaged(
  ports: Ports,
  { actor }: Grant,
  upload: Upload,
  bytes: WrittenBytes,
  proof: KeptProvenance | undefined,
): Staged {
  const { name, version, tag, manifest, readme = '' } = upload
  const stagedAt = ports.clock()
  return {
    id: randomUUID(),
    package: name,
    version,
    tag,
    manifest: JSON.stringify(manifest),
    readme,
    ...bytes,
    stagedAt,
    expiresAt: stagedAt + stageMs,
    stagerId: actorId(actor),
    stagerKind: actor.kind === 'job' || actor.kind === 'robot' ? actor.kind : 'person',
    stagerLogin: actor.kind === 'person' ? actor.login : '',
    tokenId: 'credential' in actor && actor.credential.kind === 'token' ? actor.credential.id : '',
    proof: proof === undefined ? '' : JSON.stringify(proof),
  }
}

async function keep(tx: Tx, ports: Ports, { actor }: Grant, staged: Staged): Promise<void> {
  const { package: name, version } = staged
  if (actor.kind === 'job') await checkStillTrusted(tx, actor, name)
  if ((await tx.catalog.findVersion(name, version)) !== undefined)
    throw problem('version-exists', { name, version })
  if ((await tx.stages.count(name)) >= maxStaged)
    throw problem('too-many', { limit: maxStaged, what: `staged versions of ${name} at a time` })
  await tx.stages.add(staged)
  const by = staged.stagerLogin === '' ? 'a machine' : staged.stagerLogin
  const { publicUrl } = ports.config
  const what = `${name}@${version} was staged by ${by}`
  await addLetters(tx, await listApproverMails(tx, staged), `${what} – ${hostOf(publicUrl)}`, [
    `${what} on ${publicUrl}.`,
    '',
    'Nobody can install it until somebody else has looked at it and approved it with a passkey.',
    `It waits until ${new Date(staged.expiresAt).toISOString()}.`,
    '',
    `Look at it: ${publicUrl}${stagePath(staged)}`,
  ])
}

/** What happened to a staged version; `detail` leads from the record to it. */
export function stageEvent(
  staged: Pick<Staged, 'id' | 'package' | 'version'>,
  type: 'stage' | 'approve',
  fields: NonNullable<NewEvent['fields']>,
  detail: NonNullable<NewEvent['detail']> = {},
): NewEvent {
  return { type, pkg: staged.package, ver: staged.version, fields, detail: { stage: staged.id, ...detail } }
}

/** Addresses of all who may decide on it, except who staged it. */
export async function listApproverMails(tx: Tx, { package: name, stagerId }: Staged): Promise<string[]> {
  return (await tx.identity.listHolders(name))
    .filter(each => each.role === 'owner' || each.role === 'maintainer')
    .filter(each => each.disabledAt === null && each.accountId !== stagerId)
    .map(each => each.email)
}

/** The page on which people decide. */
export function stagePath({ package: name, id }: Pick<Staged, 'package' | 'id'>): string {
  return `/package/npm/${name}/staged/${id}`
}

/** A staged version for those who may decide on it, or staged it. */
export interface StageView {
  readonly staged: Staged
  readonly known: Package
  /** Who did, in words: a login, or the job. */
  readonly stager: string
  /** Of those who may approve it still. */
  readonly approvals: readonly StageApproval[]
  /** How many there have to be. */
  readonly needed: number
}

/** To everybody else it is not there. Throws `unauthenticated`, `stage-not-found`. */
export async function getStaged(ports: Ports, actor: Actor, id: string): Promise<StageView> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  const staged = uuid.test(id) ? await ports.store.stages.find(id) : undefined
  if (staged === undefined || staged.expiresAt <= ports.clock()) throw problem('stage-not-found')
  if (!(await may(ports, actor, 'package:review', staged.package))) throw problem('stage-not-found')
  const known = await ports.store.catalog.findPackage(staged.package)
  if (known === undefined) throw problem('stage-not-found')
  return describe(ports, staged, known)
}

async function describe(ports: Ports, staged: Staged, known: Package): Promise<StageView> {
  return {
    staged,
    known,
    stager: await nameStager(ports, staged),
    approvals: await countApprovals(ports.store, staged),
    needed: Math.max(1, approvalsOf(known, ports.clock())),
  }
}

async function nameStager({ store }: Ports, staged: Staged): Promise<string> {
  const { stagerKind, stagerId, stagerLogin, tokenId } = staged
  if (stagerKind === 'person') return stagerLogin
  if (stagerKind === 'robot') return (await store.identity.findRobot(stagerId))?.name ?? 'a robot'
  const job = await store.identity.findJob(tokenId)
  return job === undefined ? 'a CI job' : describeJob(job.facts)
}

/** Those that count: of people who may approve it now, and did not stage it. */
export async function countApprovals(
  { stages, identity }: Pick<Tx, 'stages' | 'identity'> | Ports['store'],
  { id, package: name, stagerId }: Staged,
): Promise<readonly StageApproval[]> {
  const said = await stages.listApprovals(id)
  if (said.length === 0) return []
  const approvers = new Set(
    (await identity.listHolders(name))
      .filter(each => (each.role === 'owner' || each.role === 'maintainer') && each.disabledAt === null)
      .map(each => each.accountId),
  )
  return said.filter(({ accountId }) => accountId !== stagerId && approvers.has(accountId))
}

/** What waits in all packages that somebody may look at, or in one, the oldest first. Throws `unauthenticated`. */
export async function listStaged(
  ports: Ports,
  actor: Actor,
  name: PackageName | undefined,
): Promise<readonly StageView[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const names = name === undefined ? [...(await ports.store.catalog.listPackagesOf(actor.id)).keys()] : [name]
  const views: StageView[] = []
  for (const staged of await ports.store.stages.list(names)) {
    if (staged.expiresAt <= ports.clock()) continue
    if (!(await may(ports, actor, 'package:review', staged.package))) continue
    const known = await ports.store.catalog.findPackage(staged.package)
    if (known !== undefined) views.push(await describe(ports, staged, known))
  }
  return views
}

/** The bytes of a staged version, for those who may see it. The caller closes the reader. */
export async function openStaged(
  ports: Ports,
  actor: Actor,
  id: string,
): Promise<{ view: StageView; reader: BlobReader; integrity: string }> {
  const view = await getStaged(ports, actor, id)
  const reader = await ports.blobs.open(view.staged.digest)
  if (reader === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
  return { view, reader, integrity: formatIntegrity(view.staged.digest) }
}
