// SPDX-License-Identifier: Apache-2.0
/** Lock files that people submit, so that they are told when something is found in what they use. */
import { createHash } from 'node:crypto'
import { type ProjectManifest, problem, revealHidden } from '@holdfast/core'
import type { Advisory, ProjectEntry, ProjectLock } from '../catalog/index.ts'
import { type Actor, authorize, type Grant, randomId } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { isThreadLimit, Thread } from '../thread.ts'
import { takeTurn } from './limit.ts'
import { filterReadable, findHits } from './project-hit.ts'

const maxLocks = 500
const submissionsAtOnce = 120
const readWithinMs = 15_000
const limits = { maxOldGenerationSizeMb: 512 }
const projectName = /^(?:@([a-z0-9][a-z0-9._-]{0,99})\/)?[a-z0-9][a-z0-9._-]{0,99}$/i

/** What the thread reads. */
export interface LockJob {
  readonly text: string
  readonly manifests: readonly ProjectManifest[]
  /** Of this registry's address. */
  readonly origin: string
}

/** What it read, or why that is no lock file to count on. */
export type LockReading =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'read'
      readonly manager: string
      readonly entries: readonly ProjectEntry[]
      /** How many entries come from elsewhere than a registry. */
      readonly strays: number
    }

/** A lock file of a branch, as somebody sends it. */
export interface LockSubmission {
  readonly project: string
  readonly branch: string
  readonly text: string
  readonly manifests: readonly ProjectManifest[]
}

/** What became of it. */
export interface TakenLock {
  readonly lock: ProjectLock
  readonly strays: number
  /** How many flaws are known already; later ones are told by letter. */
  readonly known: number
}

let thread: Thread<LockJob, LockReading> | undefined

/**
 * Keeps the lock file of a branch in place of the one before. `@acme/site` belongs to the organisation acme and is submitted by
 * its members; any other name is one's own. Throws `lockfile-refused`, `invalid-body`, `rate-limited`.
 */
export async function submitLock(ports: Ports, actor: Actor, sent: LockSubmission): Promise<TakenLock> {
  const { owner, grant } = await openProject(ports, actor, sent.project)
  const branch = checkBranch(sent.branch)
  if (actor.kind === 'person') await takeTurn(ports, 'lockfile', actor.from.address, submissionsAtOnce)
  await checkRoom(ports, owner, sent.project, branch)
  const read = await readLock(ports, sent)
  const lock: ProjectLock = {
    id: randomId('lock-'),
    owner,
    project: sent.project,
    branch,
    manager: read.manager,
    digest: createHash('sha512').update(sent.text).digest('hex'),
    entryCount: read.entries.length,
    submittedBy: 'id' in actor ? actor.id : '',
    submittedAt: ports.clock(),
  }
  const { manager, digest, entryCount } = lock
  const detail = { op: 'submit', owner, project: sent.project, branch, manager, digest, entries: entryCount }
  const known = await listKnown(ports, lock, read.entries)
  await ports.store.commit(grant, { type: 'project', detail }, async tx => {
    await tx.projects.setLock(lock, read.entries)
    // What was known when it came is no news afterwards.
    for (const { id, aliases } of known)
      for (const each of [id, ...aliases])
        await tx.projects.noteTold(owner, lock.project, `advisory ${each}`, lock.submittedAt)
  })
  return { lock, strays: read.strays, known: known.length }
}

async function listKnown(
  ports: Ports,
  lock: ProjectLock,
  entries: readonly ProjectEntry[],
): Promise<readonly Advisory[]> {
  const used = Map.groupBy(entries, each => each.package)
  const told = Map.groupBy(await ports.store.policy.listAdvisoriesOf([...used.keys()]), each => each.package)
  const readable = await filterReadable(ports, lock.submittedBy, [...told.keys()])
  return [...told].flatMap(([name, of]) => {
    const uses = (used.get(name) ?? []).map(each => ({ ...each, lock }))
    return readable.has(name) ? findHits(of, uses).map(each => each.advisory) : []
  })
}

async function readLock(
  { config }: Ports,
  { text, manifests }: LockSubmission,
): Promise<LockReading & { kind: 'read' }> {
  thread ??= new Thread(new URL('./lock-thread.ts', import.meta.url), limits, readWithinMs)
  const { origin } = new URL(config.publicUrl)
  const read = await thread.run({ text, manifests, origin }).catch((error: unknown) => {
    if (!isThreadLimit(error)) throw error
    return { kind: 'refused', why: 'it takes too long to read' } as const
  })
  if (read.kind === 'refused') throw problem('lockfile-refused', { why: read.why })
  return read
}

/** The lock files of one's own projects and of those of one's organisations. */
export async function listOwnLocks(ports: Ports, actor: Actor): Promise<readonly ProjectLock[]> {
  return ports.store.projects.listLocks(await listOwners(ports, actor))
}

/** Whose projects somebody may see: their own, and those of their organisations. */
export async function listOwners(ports: Ports, actor: Actor): Promise<readonly string[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'project:read', actor.id)
  const orgs = [...(await ports.store.identity.listOrgsOf(actor.id)).keys()]
  return [actor.id, ...orgs.map(org => `@${org}`)]
}

/** Forgets the lock file of a branch. Throws `not-found`. */
export async function removeLock(ports: Ports, actor: Actor, project: string, branch: string): Promise<void> {
  const { owner, grant } = await openProject(ports, actor, project)
  const found = await ports.store.projects.findLock(owner, project, branch)
  if (found === undefined) throw problem('not-found')
  const detail = { op: 'remove', owner, project, branch }
  await ports.store.commit(grant, { type: 'project', detail }, async tx => {
    await tx.projects.removeLock(found.id)
  })
}

async function openProject(
  ports: Ports,
  actor: Actor,
  project: string,
): Promise<{ readonly owner: string; readonly grant: Grant }> {
  const named = projectName.exec(project)
  if (named === null)
    throw problem('invalid-body', { why: 'a project is named like a package: letters, digits, . _ and -' })
  const [, org] = named
  if (org !== undefined) return { owner: `@${org}`, grant: await authorize(ports, actor, 'org:submit', org) }
  if (actor.kind !== 'person') throw problem('unauthenticated')
  return { owner: actor.id, grant: await authorize(ports, actor, 'project:submit', actor.id) }
}

function checkBranch(branch: string): string {
  if (branch === '' || branch.length > 200 || revealHidden(branch) !== branch)
    throw problem('invalid-body', { why: 'a branch is named by at most 200 visible characters' })
  return branch
}

async function checkRoom({ store }: Ports, owner: string, project: string, branch: string): Promise<void> {
  const kept = await store.projects.listLocks([owner])
  if (kept.length < maxLocks || kept.some(each => each.project === project && each.branch === branch)) return
  const why = `${maxLocks} branches are kept already; remove those that are no longer built`
  throw problem('lockfile-refused', { why })
}
