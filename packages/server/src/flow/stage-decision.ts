// SPDX-License-Identifier: Apache-2.0
/** What becomes of staged versions: enough people approve, somebody rejects, or time passes. */
import { formatIntegrity, type PackageName, problem } from '@holdfast/core'
import { approvalsOf, type Staged } from '../catalog/index.ts'
import { type Actor, actorId, authorize, forbid, type Grant, isRoleAtLeast } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { KeptProvenance, Ports, Tx } from '../ports.ts'
import { addLetters, hostOf } from './letter.ts'
import { checkMfaRule, touchWanted } from './mfa-rule.ts'
import type { PasskeyAnswer } from './passkey-challenge.ts'
import { proveApproval } from './passkey-sign-in.ts'
import { provePresence } from './presence.ts'
import { checkClaims, enter, inspect, publishEvent, type Upload, withNews } from './publish.ts'
import { screenUpload } from './screening.ts'
import { countApprovals, getStaged, listApproverMails, stageEvent } from './stage.ts'

const pieceBytes = 64 * 1024
const batchSize = 100

/** What an approval came to: the version is published, or so many more people must approve it. */
export interface StageOutcome {
  readonly staged: Staged
  readonly missing: number
  /** Why nobody gets it before a responder has looked; empty where it is open. */
  readonly held: string
  /** False while what is published is not under a checkpoint of the log: it is shown soon. */
  readonly isVisible: boolean
}

/**
 * One person's yes, proved by a passkey for this very version; in the browser by `touch`. With the last that is needed the
 * version is published, through the same checks as any other. Throws `stage-not-found`, `stage-own`, `stage-passkey`,
 * `stage-again`, `stage-refused`.
 */
export async function approveStaged(
  ports: Ports,
  actor: Actor,
  id: string,
  touch?: PasskeyAnswer,
): Promise<StageOutcome> {
  const view = await getStaged(ports, actor, id)
  const { staged } = view
  const { package: name, version } = staged
  const grant = await authorize(ports, actor, 'package:approve', name)
  if (actor.kind !== 'person' || actor.id === staged.stagerId) throw problem('stage-own', { name })
  await ports.log.checkRoom()
  await proveTouch(ports, grant, staged, touch)
  const isNew = await ports.store.commit(grant, [], tx => noteApproval(tx, grant, staged, ports.clock()))
  // A crash here leaves a yes that counts: the same person, or the next, goes on from it.
  const missing = view.needed - (await countApprovals(ports.store, staged)).length
  if (missing > 0 && !isNew) throw problem('stage-again', { name, version, missing })
  if (missing > 0) return { staged, missing, held: '', isVisible: false }
  const held = await release(ports, grant, staged)
  return { staged, missing: 0, held, isVisible: await ports.log.covered() }
}

async function proveTouch(
  ports: Ports,
  grant: Grant,
  staged: Staged,
  touch: PasskeyAnswer | undefined,
): Promise<void> {
  const { actor, operation } = grant
  // Who has the page open in another version's tab must not be able to mean this one.
  const about = `${staged.package}@${staged.version} (${staged.id})`
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') {
    await provePresence(ports, grant, 'always', about)
    return
  }
  await checkMfaRule(ports, grant)
  if (touch === undefined) throw touchWanted(about, operation)
  await proveApproval(ports, actor, staged, touch)
}

/** Says whether it is a new one. */
async function noteApproval(tx: Tx, { actor }: Grant, staged: Staged, at: number): Promise<boolean> {
  if (!(await tx.stages.hold(staged.id))) throw problem('stage-not-found')
  if (!(await mayStill(tx, actorId(actor), staged.package))) throw forbid('package:approve', staged.package)
  const isNew = await tx.stages.approve(staged.id, actorId(actor), at)
  if (isNew) tx.record(stageEvent(staged, 'approve', {}))
  return isNew
}

/** Publishes what enough people approved: looked into and held against its claims again, for bytes may have changed since. */
async function release(ports: Ports, grant: Grant, staged: Staged): Promise<string> {
  const upload = await reopen(ports, staged)
  try {
    const bytes = checkClaims(upload)
    const inspection = await inspect(ports, upload)
    const { stagerId: publisherId, tokenId } = staged
    const hand = { publisherId, tokenId, approverId: actorId(grant.actor) }
    // Verified when it came: by now its bundle is older than it may be.
    const proof = staged.proof === '' ? undefined : (JSON.parse(staged.proof) as KeptProvenance)
    const isByJob = staged.stagerKind === 'job'
    const screened = await screenUpload(ports, upload, bytes.digest)
    const said = withNews(publishEvent(upload, bytes, inspection, proof), screened.words.news)
    const event = await withStager(ports, staged, said)
    const entry = { upload, bytes, inspection, proof, hand, isByJob, screened }
    return await enter(ports, grant, entry, [event], tx => take(tx, ports, staged))
  } finally {
    await upload.tarball.discard()
  }
}

/** The upload again, from the kept bytes. */
async function reopen({ blobs }: Ports, staged: Staged): Promise<Upload> {
  const reader = await blobs.open(staged.digest)
  if (reader === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
  const tarball = await blobs.begin()
  try {
    for (let at = 0; at < reader.sizeBytes; at += pieceBytes)
      await tarball.write(await reader.read(at, new Uint8Array(Math.min(pieceBytes, reader.sizeBytes - at))))
  } finally {
    await reader.close()
  }
  const { package: name, version, tag, manifest, readme, digest, shasum } = staged
  return {
    ...{ name, version, tag, shasum, tarball },
    access: undefined,
    manifest: JSON.parse(manifest) as Record<string, unknown>,
    readme: readme === '' ? undefined : readme,
    integrity: formatIntegrity(digest),
  }
}

/** Takes it out of what waits, if all still holds. Of two who come to that at once one does. */
async function take(tx: Tx, ports: Ports, staged: Staged): Promise<void> {
  const { package: name, version, id } = staged
  const refuse = (why: string) => problem('stage-refused', { name, version, why })
  if (!(await tx.stages.hold(id))) throw problem('stage-not-found')
  const known = await tx.catalog.findPackage(name)
  const needed = known === undefined ? 1 : Math.max(1, approvalsOf(known, ports.clock()))
  if ((await countApprovals(tx, staged)).length < needed) throw refuse('it needs more approvals by now')
  if (!(await isStagerTrusted(tx, staged))) throw refuse('whoever staged it may no longer do that')
  await tx.stages.remove(id)
}

async function isStagerTrusted(tx: Tx, { stagerKind, stagerId, package: name }: Staged): Promise<boolean> {
  switch (stagerKind) {
    case 'person':
      return mayStill(tx, stagerId, name)
    case 'job':
      return (await tx.identity.findPublisher(stagerId))?.package === name
    case 'robot':
      return (await tx.identity.findRobot(stagerId)) !== undefined
  }
}

/** Asked while others wait: roles end, and people leave. */
async function mayStill(tx: Tx, accountId: string, name: PackageName): Promise<boolean> {
  const account = await tx.identity.findAccount(accountId)
  if (account === undefined || account.disabledAt !== null) return false
  return isRoleAtLeast(await tx.identity.roleOn(accountId, name), 'maintainer')
}

async function withStager({ store }: Ports, staged: Staged, event: NewEvent): Promise<NewEvent> {
  const job = staged.stagerKind === 'job' ? await store.identity.findJob(staged.tokenId) : undefined
  const { id: stage, stagerId } = staged
  return { ...event, detail: { ...event.detail, stage, stagedBy: stagerId, job: job?.facts } }
}

/** Turns a staged version down, for good: its name and number are free again. Throws `stage-not-found`. */
export async function rejectStaged(ports: Ports, actor: Actor, id: string, words = ''): Promise<Staged> {
  const { staged, known } = await getStaged(ports, actor, id)
  const { package: name, version } = staged
  const grant = await authorize(ports, actor, 'package:reject', name)
  await provePresence(ports, grant, known.requiresTfa)
  const by = actor.kind === 'person' ? actor.login : 'the operator'
  await ports.store.commit(grant, stageEvent(staged, 'stage', { op: 'reject' }, { words }), async tx => {
    if (!(await tx.stages.remove(id))) throw problem('stage-not-found')
    await tellEnd(tx, ports, staged, `${name}@${version} was staged, and is rejected by ${by}`, words)
  })
  return staged
}

/** Ends what waited too long. Safe to run again at any time. */
export async function expireStaged(ports: Ports): Promise<void> {
  for (const staged of await ports.store.stages.listExpired(ports.clock(), batchSize)) {
    const { package: name, version, id } = staged
    const grant = await authorize(ports, { kind: 'system', id: 'stages' }, 'package:reject', name)
    await ports.store.commit(grant, [], async tx => {
      if (!(await tx.stages.remove(id))) return
      tx.record(stageEvent(staged, 'stage', { op: 'expire' }))
      await tellEnd(tx, ports, staged, `${name}@${version} was staged, and nobody approved it in time`, '')
    })
  }
}

async function tellEnd(tx: Tx, ports: Ports, staged: Staged, what: string, words: string): Promise<void> {
  const { publicUrl } = ports.config
  const lines = [`${what} on ${publicUrl}.`, ...(words === '' ? [] : ['', `Because: ${words}`])]
  const stager = await tx.identity.findAccount(staged.stagerId)
  const to = [...(await listApproverMails(tx, staged)), ...(stager === undefined ? [] : [stager.email])]
  await addLetters(tx, to, `${what} – ${hostOf(publicUrl)}`, lines)
}
