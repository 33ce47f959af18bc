// SPDX-License-Identifier: Apache-2.0
/** A CI job's identity for a token of ours: fifteen minutes, one package (provenance reference, section 10). */
import { isProblem, type NamePattern, type PackageName, type Problem, problem } from '@holdfast/core'
import type { CiIssuer } from '../config.ts'
import {
  type Actor,
  audiencesOf,
  authorize,
  checkNotFrozen,
  explainMismatch,
  explainRest,
  findIssuerKey,
  findPublisher,
  hashSecret,
  type JobFacts,
  type JobToken,
  may,
  type PublisherRule,
  readJobFacts,
  readKeyId,
  readUnverifiedIssuer,
  type TrustedPublisher,
  toPerson,
  verifyJobToken,
  type Whence,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { describeJob } from './job.ts'
import { answerMiss } from './limit.ts'
import { makeNewToken, type NewToken, tokenCreated } from './token.ts'
import { tellOwners, trustEvent } from './trust.ts'

const publishTokenMs = 15 * 60_000

/**
 * Gives a job a token to publish one package, when one of its trusted publishers lets the job in. Throws
 * `job-token-invalid`, `job-token-used`, or `trust-refused`, which is the same for a package that is not there.
 */
export async function exchangeJobToken(
  ports: Ports,
  jwt: string,
  name: PackageName,
  from: Whence,
): Promise<NewToken> {
  return countingMisses(ports, from, name, () => exchange(ports, jwt, name, from))
}

async function exchange(ports: Ports, jwt: string, name: PackageName, from: Whence): Promise<NewToken> {
  const publishers = await listTrusted(ports, name)
  const { token, job } = await readJob(ports, jwt, {
    knowsOwner: (issuer, owner) =>
      publishers.some(each => each.issuer === issuer && each.rule.ownerId === owner),
    refuse: job => problem('trust-refused', { name, job }),
  })
  const now = ports.clock()
  const awake = publishers.filter(each => explainRest(each, now) === undefined)
  const publisher = findPublisher(awake, job)
  if (publisher === undefined)
    throw problem('trust-refused', { name, job: describeJob(job) + nearMiss(publishers, job, now) })
  if (!(await mayStillWait(ports, publisher))) throw problem('trust-refused', { name, job: describeJob(job) })
  checkNotContested(publishers, publisher, job)
  return giveToken(ports, publisher, token, job, from)
}

/** Once the name is there, whoever still waits for it has no part in it. */
async function listTrusted(ports: Ports, name: PackageName): Promise<readonly TrustedPublisher[]> {
  const isThere = (await ports.store.catalog.findPackage(name)) !== undefined
  const all = await ports.store.identity.listPublishers(name, ports.clock())
  return all.filter(
    ({ permissions, pendingUntil }) =>
      isThere === (pendingUntil === null) && (isThere || permissions.includes('createPackage')),
  )
}

/** Whoever waits for a name with somebody else's repository must not own what that repository publishes. */
function checkNotContested(
  publishers: readonly TrustedPublisher[],
  found: TrustedPublisher,
  job: JobFacts,
): void {
  const rival = publishers.some(
    each => each.createdBy !== found.createdBy && explainMismatch(each, job) === undefined,
  )
  if (found.pendingUntil !== null && rival)
    throw problem('trust-refused', {
      name: found.package,
      job: 'several accounts wait for its first publish',
    })
}

/** What does not fit, told to jobs of the very repository alone: a stranger must not learn whom a package trusts. */
function nearMiss(publishers: readonly TrustedPublisher[], job: JobFacts, now: number): string {
  const resting = findPublisher(publishers, job)
  if (resting !== undefined) return `; its publisher ${explainRest(resting, now)}`
  const strangers = ['its issuer', 'its repository', "its repository's id", "its repository owner's id"]
  const why = publishers
    .filter(each => each.provider !== 'generic')
    .map(each => explainMismatch(each, job))
    .find(each => each !== undefined && !strangers.includes(each))
  return why === undefined ? '' : `; ${why} does not fit`
}

/** Whatever is refused is noted and counted by address, which slows nothing but further misses. */
export async function countingMisses<T>(
  ports: Ports,
  { address, client }: Whence,
  subject: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isProblem(error)) throw error
    const refusal = { accountId: '', what: 'job-token', subject, why: error.code, address, client }
    ports.trail.note({ type: 'sign-in-failed', ...refusal })
    throw await answerMiss(ports, 'job-token', address, error)
  }
}

/** What must be known before a token is looked at. */
interface Expected {
  /** CircleCI has an issuer for each organisation: of made-up ones nobody asks for keys. */
  knowsOwner(issuer: string, ownerId: string): boolean | Promise<boolean>
  refuse(job: string): Problem
}

/** Who asks, as far as its token proves it. */
export async function readJob(
  ports: Ports,
  jwt: string,
  expected: Expected,
): Promise<{ token: JobToken; job: JobFacts }> {
  const kid = readKeyId(jwt)
  const said = readUnverifiedIssuer(jwt)
  const issuer = await findIssuer(ports, said, expected)
  if (issuer === undefined) throw expected.refuse(`jobs of ${said.slice(0, 200)}`)
  await checkNotFrozen(ports.store, [`issuer:${said}`, `issuer:${issuer.issuer}`])
  const keys = await findIssuerKey(ports, said, kid)
  const now = ports.clock()
  const token = await verifyJobToken(jwt, { ...issuer, issuer: said }, keys, audiencesOf(ports.config), now)
  return { token, job: readJobFacts(issuer, token.claims) }
}

/** The configured issuer that a token names. */
async function findIssuer(
  ports: Ports,
  said: string,
  { knowsOwner }: Expected,
): Promise<CiIssuer | undefined> {
  const { ciIssuers } = ports.config
  const whole = ciIssuers.find(each => each.issuer === said)
  if (whole !== undefined) return whole
  const circle = ciIssuers.find(
    ({ provider, issuer }) => provider === 'circleci' && said.startsWith(`${issuer}/org/`),
  )
  if (circle === undefined) return undefined
  return (await knowsOwner(circle.issuer, said.slice(`${circle.issuer}/org/`.length))) ? circle : undefined
}

/** A pending publisher gives no more than whoever waits with it may still do. */
async function mayStillWait(ports: Ports, { pendingUntil, createdBy, package: name }: TrustedPublisher) {
  if (pendingUntil === null) return true
  const account = await ports.store.identity.findAccount(createdBy)
  if (account === undefined || account.disabledAt !== null) return false
  const person = toPerson(account, { kind: 'password' }, { address: '', client: '', web: false })
  return may(ports, person, 'package:create', name)
}

async function giveToken(
  ports: Ports,
  publisher: TrustedPublisher,
  proof: JobToken,
  job: JobFacts,
  from: Whence,
): Promise<NewToken> {
  const made = makeNewToken(ports, publisher.id, {
    name: describeJob(job).slice(0, 100),
    holder: 'job',
    origin: 'login',
    lifeMs: publishTokenMs,
    limits: {
      permission: publisher.permissions.includes('createPackage') ? 'read-write' : 'stage-only',
      // One name, no pattern: names hold no star.
      packages: [publisher.package as string as NamePattern],
      orgs: [],
      bypassTfa: false,
    },
  })
  const { id, limits, expiresAt } = made.token
  const actor: Actor = {
    kind: 'job',
    id: publisher.id,
    credential: { kind: 'token', id, limits, expiresAt },
    from,
  }
  const grant = await authorize(ports, actor, 'job:enter', publisher.id)
  const pinned = pin(publisher.rule, job)
  const events = [
    { ...tokenCreated(made.token), detail: { ...tokenCreated(made.token).detail, job } },
    ...(pinned === undefined ? [] : [trustEvent({ ...publisher, rule: pinned }, 'change')]),
  ]
  await ports.store.commit(grant, events, async tx => {
    // In the transaction that gives the token: of two that race with one proof exactly one wins.
    const isFirst = await tx.identity.useNonce(job.issuer, proof.nonce, proof.rememberUntil, ports.clock())
    if (!isFirst) throw problem('job-token-used')
    await checkStillFits(tx, ports, publisher, job)
    if (pinned !== undefined) await keepPin(tx, ports, publisher, pinned)
    await tx.identity.addToken(hashSecret(made.secret), made.token)
    await tx.identity.addJob({ tokenId: id, publisherId: publisher.id, facts: job, at: ports.clock() })
  })
  return made
}

/** The publisher may have been removed, or pinned to another repository, since it was read. */
async function checkStillFits(
  tx: Tx,
  ports: Ports,
  publisher: TrustedPublisher,
  job: JobFacts,
): Promise<void> {
  // Writing first makes others who change it wait, so that what is read next stays true.
  await tx.identity.setPublisherUsed(publisher.id, ports.clock())
  const now = await tx.identity.findPublisher(publisher.id)
  if (now === undefined || explainMismatch(now, job) !== undefined)
    throw problem('trust-refused', { name: publisher.package, job: describeJob(job) })
}

/** npm sends names only: the first job that fits fixes the ids, so that nobody who registers the name anew fits later. */
function pin(rule: PublisherRule, job: JobFacts): PublisherRule | undefined {
  if (job.repositoryId === '' || (rule.repositoryId !== undefined && rule.ownerId !== undefined))
    return undefined
  return { ...rule, repositoryId: job.repositoryId, ownerId: job.ownerId }
}

async function keepPin(
  tx: Tx,
  ports: Ports,
  publisher: TrustedPublisher,
  pinned: PublisherRule,
): Promise<void> {
  await tx.identity.setPublisherRule(publisher.id, pinned)
  const ids = `repository ${pinned.repositoryId}, owner ${pinned.ownerId}`
  await tellOwners(
    tx,
    ports,
    publisher,
    `The trusted publisher ${pinned.repository} of ${publisher.package} was used for the first time, and is bound to ${ids}`,
  )
}
