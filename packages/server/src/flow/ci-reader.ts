// SPDX-License-Identifier: Apache-2.0
/** CI jobs that install an organisation's packages by their own identity. */
import { problem } from '@holdfast/core'
import {
  type Actor,
  actorId,
  authorize,
  hashSecret,
  letsIn,
  randomId,
  type TrustedReader,
  type Whence,
} from '../identity/index.ts'
import { type NewEvent, saltDocument } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { describeJob } from './job.ts'
import { countingMisses, readJob } from './job-token.ts'
import { orgEvent } from './leaf.ts'
import { provePresence } from './presence.ts'
import { openMachines, tellOrgOwners } from './robot.ts'
import { endTokensOf, makeNewToken, type NewToken, tokenCreated } from './token.ts'
import { chooseIssuer } from './trust.ts'

const readTokenMs = 60 * 60_000
const maxReaders = 20
const id = /^[\w-]{1,100}$/

/** Whose jobs an organisation lets read. */
export type ReaderRequest = Pick<TrustedReader, 'provider' | 'ownerId' | 'repositoryId' | 'claims'> & {
  readonly issuer?: string | undefined
}

/** Whose jobs read an organisation's packages, for its members. */
export async function listReaders(
  ports: Ports,
  actor: Actor,
  org: string,
): Promise<readonly TrustedReader[]> {
  await openMachines(ports, actor, 'org:read', org)
  return ports.store.identity.listReaders(org)
}

/** Lets the jobs of one owner at a CI service read. Throws `publisher-invalid` where it says less than an owner, `publisher-limit`. */
export async function addReader(
  ports: Ports,
  actor: Actor,
  org: string,
  request: ReaderRequest,
): Promise<TrustedReader> {
  const grant = await openMachines(ports, actor, 'org:own', org)
  const { issuer, provider, claims: names } = chooseIssuer(ports.config, request)
  const claims =
    provider === 'generic' ? names.map(name => [name, request.claims?.[name] ?? ''] as const) : []
  const isWhole =
    provider === 'generic' ? claims.every(([, value]) => value !== '') : id.test(request.ownerId)
  // An issuer alone is everybody who has a job there.
  if (!isWhole) throw problem('publisher-invalid', { why: "the id of the jobs' owner is missing" })
  await provePresence(ports, grant)
  const reader: TrustedReader = {
    id: randomId('tp_'),
    org,
    provider,
    issuer,
    ownerId: provider === 'generic' ? '' : request.ownerId,
    repositoryId: request.repositoryId,
    ...(provider === 'generic' ? { claims: Object.fromEntries(claims) } : {}),
    createdAt: ports.clock(),
    createdBy: actorId(actor),
  }
  await ports.store.commit(grant, readerEvent('reader-add', reader), async tx => {
    await tx.identity.holdOrg(org)
    if ((await tx.identity.listReaders(org)).length >= maxReaders)
      throw problem('publisher-limit', {
        limit: maxReaders,
        what: `owners whose jobs read packages of ${org}`,
      })
    await tx.identity.addReader(reader)
    await tellOrgOwners(
      tx,
      ports,
      org,
      `CI jobs of ${provider} owner ${request.ownerId} may read packages of ${org}`,
    )
  })
  return reader
}

function readerEvent(op: 'reader-add' | 'reader-remove', reader: TrustedReader): NewEvent {
  const document = saltDocument({ ...reader })
  return orgEvent(reader.org, { op, subject: { kind: 'oidc', id: reader.id }, document }, { reader })
}

/** Ends it, and the tokens that its jobs still hold. Throws `robot-not-found`. */
export async function removeReader(ports: Ports, actor: Actor, org: string, id: string): Promise<void> {
  const grant = await openMachines(ports, actor, 'org:own', org)
  const reader = (await ports.store.identity.listReaders(org)).find(each => each.id === id)
  if (reader === undefined) throw problem('robot-not-found', { org, id })
  await provePresence(ports, grant)
  await ports.store.commit(grant, readerEvent('reader-remove', reader), async tx => {
    await tx.identity.holdOrg(org)
    if (!(await tx.identity.removeReader(id, ports.clock()))) throw problem('robot-not-found', { org, id })
    await endTokensOf(tx, id, ports.clock())
    await tellOrgOwners(
      tx,
      ports,
      org,
      `CI jobs of ${reader.provider} owner ${reader.ownerId} read packages of ${org} no longer`,
    )
  })
}

/** A token to install with, for an hour, for a job that organisations let read. Throws `reader-refused`. */
export async function exchangeReadToken(ports: Ports, jwt: string, from: Whence): Promise<NewToken> {
  return countingMisses(ports, from, '', () => exchange(ports, jwt, from))
}

async function exchange(ports: Ports, jwt: string, from: Whence): Promise<NewToken> {
  const readersOf = (issuer: string) => ports.store.identity.listReadersOfIssuer(issuer)
  const { token, job } = await readJob(ports, jwt, {
    knowsOwner: async (issuer, owner) => (await readersOf(issuer)).some(each => each.ownerId === owner),
    refuse: said => problem('reader-refused', { job: said }),
  })
  // The token is held by who came first: nobody ends it by trusting these jobs too, and then no longer.
  const fitting = (await readersOf(job.issuer))
    .filter(reader => letsIn(reader, job))
    .sort((one, other) => one.createdAt - other.createdAt)
  const [first] = fitting
  if (first === undefined) throw problem('reader-refused', { job: describeJob(job) })
  const orgs = [...new Set(fitting.map(each => each.org))]
  const made = makeNewToken(ports, first.id, {
    name: describeJob(job).slice(0, 100),
    holder: 'job',
    origin: 'login',
    lifeMs: readTokenMs,
    limits: { permission: 'read-only', orgs: [], readsOrgs: orgs, bypassTfa: false },
  })
  const { id: tokenId, limits, expiresAt } = made.token
  const credential = { kind: 'token', id: tokenId, limits, expiresAt } as const
  const grant = await authorize(ports, { kind: 'job', id: first.id, credential, from }, 'job:enter', first.id)
  const event = tokenCreated(made.token)
  await ports.store.commit(grant, { ...event, detail: { ...event.detail, job } }, async tx => {
    // A nonce of its own: the one token of a GitLab job may install and then publish.
    const nonce = `read ${token.nonce}`
    if (!(await tx.identity.useNonce(job.issuer, nonce, token.rememberUntil, ports.clock())))
      throw problem('job-token-used')
    // Whoever ends the trust waits, and then finds this token too.
    await tx.identity.holdOrg(first.org)
    if (!(await tx.identity.listReaders(first.org)).some(each => each.id === first.id))
      throw problem('reader-refused', { job: describeJob(job) })
    await tx.identity.addToken(hashSecret(made.secret), made.token)
    await tx.identity.addJob({ tokenId, publisherId: first.id, facts: job, at: ports.clock() })
  })
  return made
}
