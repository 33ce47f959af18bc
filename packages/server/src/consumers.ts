// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { Webhook } from './config.ts'
import {
  ageDownloads,
  askUpstreams,
  checkMailDomains,
  deliverHooks,
  expireStaged,
  finishTransfers,
  followAdvisories,
  followNames,
  keepDrilling,
  keepWithinQuota,
  lapseMeasures,
  noteForWatchers,
  pushAudit,
  recheckSources,
  recomputeCritical,
  reconcile,
  remindOfHolds,
  remindOfReview,
  rescreen,
  settleProvenance,
  tellOfEndingTokens,
  tellOfEndingWaivers,
  tellProjects,
  tellWatchers,
  tellWebhook,
} from './flow/index.ts'
import type { Log } from './http/index.ts'
import { type StoredEvent, shownBy } from './integrity/index.ts'
import type { Ports, StoredLetter } from './ports.ts'

const leaseMs = 10_000
const jobLeaseMs = 5 * 60_000
const jobRetryMs = 60_000
const dayMs = 24 * 3600_000
const pollMs = 2000
/** Where nobody waits for it, what comes in so short a time is looked at together. */
const gatherMs = 100
const batchSize = 100
const lettersAtOnce = 20
const hooksAtOnce = 20
const firstRetryMs = 60_000
const maxAttempts = 12
/** Longer than one letter can take, so that no other process sends the same one meanwhile. */
const letterLeaseMs = 60_000
const webhookRestMs = { first: 5_000, most: 3600_000 }

/** Somebody who reads every event in order, safe to run again on events it saw before. */
export interface Consumer {
  readonly name: string
  handle(ports: Ports, events: readonly StoredEvent[]): Promise<void>
}

/** Makes packuments ready before somebody asks for them. */
const documents: Consumer = {
  name: 'documents',
  async handle(ports, events) {
    // A published version is in no document before the checkpoint that shows it.
    const pending = new Set(events.filter(({ type }) => type === 'publish').map(({ pkg }) => pkg))
    const changed = events.flatMap(({ pkg }) => (pkg === null || pending.has(pkg) ? [] : pkg))
    for (const name of new Set([...changed, ...events.flatMap(shownBy)])) await ports.documents.make(name)
  },
}

/** Owners of projects hear of what is found in what they use. */
const projects: Consumer = { name: 'projects', handle: tellProjects }

/** Notes what waits to be told to whom. */
const watches: Consumer = { name: 'watches', handle: noteForWatchers }

const consumers: readonly Consumer[] = [documents, projects, watches]

const auditPush: Consumer = { name: 'audit-push', handle: pushAudit }

function webhookConsumer(webhook: Webhook): Consumer {
  return { name: `webhook-${webhook.id}`, handle: (ports, events) => tellWebhook(ports, webhook, events) }
}

/** Work that is due every so often, safe to run again; when it last ran is remembered across restarts. */
export interface Job {
  readonly name: string
  readonly everyMs: number
  run(ports: Ports): Promise<void>
}

const jobs: readonly Job[] = [
  { name: 'job-mail-domains', everyMs: dayMs / 24, run: checkMailDomains },
  // Four times a day: the notice of the last day must not come when the token has ended.
  { name: 'job-token-notices', everyMs: dayMs / 4, run: tellOfEndingTokens },
  { name: 'job-waiver-notices', everyMs: dayMs / 24, run: tellOfEndingWaivers },
  { name: 'job-reconcile', everyMs: 60_000, run: reconcile },
  { name: 'job-provenance', everyMs: 60_000, run: settleProvenance },
  { name: 'job-screening', everyMs: 60_000, run: rescreen },
  { name: 'job-measures', everyMs: 60_000, run: lapseMeasures },
  { name: 'job-holds', everyMs: 5 * 60_000, run: remindOfHolds },
  { name: 'job-sources', everyMs: 10 * 60_000, run: recheckSources },
  { name: 'job-advisories', everyMs: 15 * 60_000, run: followAdvisories },
  { name: 'job-names', everyMs: 60_000, run: followNames },
  { name: 'job-ask-upstreams', everyMs: dayMs / 24, run: askUpstreams },
  { name: 'job-cache-quota', everyMs: 10 * 60_000, run: keepWithinQuota },
  { name: 'job-stages', everyMs: 10 * 60_000, run: expireStaged },
  { name: 'job-watches', everyMs: 60_000, run: tellWatchers },
  { name: 'job-transfers', everyMs: dayMs / 24, run: finishTransfers },
  { name: 'job-downloads', everyMs: dayMs / 24, run: ageDownloads },
  { name: 'job-reviews', everyMs: 30 * dayMs, run: remindOfReview },
  { name: 'job-drills', everyMs: dayMs / 24, run: keepDrilling },
  { name: 'job-critical', everyMs: dayMs, run: recomputeCritical },
]

/** One piece of work, done by one owner at a time across all processes; true when there may be more. */
type Step = (ports: Ports) => Promise<boolean>

/** Runs every consumer from its own durable cursor, the jobs, and the postman. Returns a stop that waits. */
export function runConsumers(ports: Ports, log: Log): () => Promise<void> {
  const owner = randomUUID()
  const running = ports.auditSink === undefined ? consumers : [...consumers, auditPush]
  const telling = ports.config.webhooks.map(webhookConsumer)
  const stops = [
    ...running.map(each =>
      repeat(ports, log, each.name, readOn(each, owner), each === documents ? 0 : gatherMs),
    ),
    ...telling.map(each => repeat(ports, log, each.name, withRests(readOn(each, owner)))),
    ...jobs.map(each => repeat(ports, log, each.name, runWhenDue(each, owner), 0)),
    repeat(ports, log, 'hooks', tellHooks(owner)),
    ...(ports.mail.kind === 'smtp' ? [repeat(ports, log, 'mail', deliverLetters(owner))] : []),
  ]
  return async () => {
    await Promise.all(stops.map(stop => stop()))
    for (const name of ['mail', 'hooks', ...[...running, ...telling, ...jobs].map(each => each.name)]) {
      await ports.store.leases.release(name, owner).catch(() => {})
    }
  }
}

/**
 * Steps as long as there is something to do, then rests until so many milliseconds after an event came, or until the poll
 * is due.
 */
function repeat(ports: Ports, log: Log, name: string, step: Step, restMs = gatherMs): () => Promise<void> {
  let stopped = false
  let woken = false
  let wake = () => {}
  const unfollow = ports.store.events.follow(() => {
    if (!woken) wake()
    woken = true
  })
  const rest = () =>
    new Promise<void>(resolve => {
      let timer = setTimeout(resolve, woken ? restMs : pollMs)
      wake = () => {
        clearTimeout(timer)
        timer = setTimeout(resolve, stopped ? 0 : restMs)
      }
    })
  const loop = async () => {
    while (!stopped) {
      woken = false
      // A failure leaves everything where it was: the same comes again after a rest.
      const more = await step(ports).catch(error => {
        log.say('error', 'work failed and will be tried again', { consumer: name, error: String(error) })
        return false
      })
      if (!more && !stopped) await rest()
    }
  }
  const running = loop()
  return async () => {
    stopped = true
    unfollow()
    wake()
    await running
  }
}

/** The next batch of events for a consumer. */
function readOn(consumer: Consumer, owner: string): Step {
  let lease: { position: number; fence: number; renewAt: number } | undefined
  return async ports => {
    const { store } = ports
    const head = await store.events.head()
    // While the feed's head stands where all is done, no lease is written.
    if (head === lease?.position) return false
    if (lease === undefined || ports.clock() > lease.renewAt) {
      const renewAt = ports.clock() + leaseMs / 2
      const taken = await store.leases.acquire(consumer.name, owner, leaseMs)
      lease = taken && { ...taken, renewAt }
    }
    if (lease === undefined) return false
    const events = await store.events.read(lease.position, batchSize)
    const last = events.at(-1)
    if (last === undefined) return false
    await consumer.handle(ports, events)
    // A crash here handles the same events again.
    const kept = await store.leases.advance(consumer.name, lease.fence, last.position)
    lease = kept ? { ...lease, position: last.position } : undefined
    return kept
  }
}

/** Work for somebody else who may be down: after each failure in a row it rests twice as long, an hour at most. */
function withRests(step: Step): Step {
  let failures = 0
  let restsUntil = 0
  return async ports => {
    if (ports.clock() < restsUntil) return false
    try {
      const more = await step(ports)
      failures = 0
      return more
    } catch (error) {
      restsUntil = ports.clock() + Math.min(webhookRestMs.most, webhookRestMs.first * 2 ** failures)
      failures += 1
      throw error
    }
  }
}

/** A job when its time has come: the cursor's position is the moment it last ran. */
function runWhenDue(job: Job, owner: string): Step {
  let nextAt = 0
  return async ports => {
    const { leases } = ports.store
    const now = ports.clock()
    if (now < nextAt) return false
    // Whatever comes now, another owner or a failure, is looked at again after a minute.
    nextAt = now + jobRetryMs
    const lease = await leases.acquire(job.name, owner, jobLeaseMs)
    if (lease === undefined) return false
    if (now >= lease.position + job.everyMs) {
      await job.run(ports)
      // A crash here runs it once more.
      await leases.advance(job.name, lease.fence, now)
      nextAt = now + job.everyMs
    } else nextAt = lease.position + job.everyMs
    await leases.release(job.name, owner)
    return false
  }
}

/** Sends letters that wait; one that is refused is tried again later and later, and shows its error in the outbox. */
function deliverLetters(owner: string): Step {
  return async ports => {
    const waiting = await ports.store.mail.listWaiting(lettersAtOnce)
    const due = waiting.filter(letter => isDue(letter, ports.clock()))
    for (const letter of due) {
      if ((await ports.store.leases.acquire('mail', owner, letterLeaseMs)) === undefined) return false
      try {
        await ports.mail.deliver(letter)
        // A crash here sends this letter twice, which is better than never.
        await ports.store.mail.markSent(letter.id, ports.clock())
      } catch (error) {
        await ports.store.mail.markFailed(letter.id, error instanceof Error ? error.message : String(error))
      }
    }
    return due.length > 0
  }
}

/** Messages to people's own addresses that are due, one of each address at a time. */
function tellHooks(owner: string): Step {
  return async ports => {
    const due = await ports.store.hooks.listDueDeliveries(ports.clock(), hooksAtOnce)
    if (due.length === 0) return false
    if ((await ports.store.leases.acquire('hooks', owner, letterLeaseMs)) === undefined) return false
    // A crash here sends some of them twice, under the same id.
    await deliverHooks(ports, due)
    return true
  }
}

function isDue({ attempts, createdAt }: StoredLetter, now: number): boolean {
  return attempts === 0 || (attempts < maxAttempts && now > createdAt + firstRetryMs * 2 ** attempts)
}
