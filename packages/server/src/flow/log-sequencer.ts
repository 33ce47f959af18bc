// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { isProblem, type Problem } from '@holdfast/core'
import type { LogEdge } from './log-edge.ts'
import { checkLog, type LogWorks, runRound, showCheckpoint } from './log-round.ts'

const leaseMs = 4000
const pollMs = 2000
/** What is published meanwhile shares one change of the file. */
const showMs = 50
const republishMs = 10 * 60_000
/** How long a round waits after the last one began, by how many commits that one took up or what it came to. */
const gaps = { alone: 0, several: 50, elsewhere: 100, failed: 250, unheard: 1000 }
const fatal: readonly string[] = ['log-behind', 'log-damaged', 'log-forked', 'log-unsynced']

/** The owners that live in this process. */
const alive = new Set<string>()

/** Gives the rounds of the log their turns: one at a time here, one process at a time everywhere. */
export class Sequencer {
  readonly #works: LogWorks
  readonly #owner = `${hostname()} ${process.pid} ${randomUUID()}`
  #edge: LogEdge | undefined
  #hasChecked = false
  #renewAt = Number.NEGATIVE_INFINITY
  #planned: Promise<void> | undefined
  #running: Promise<void> | undefined
  #begunAt = performance.now()
  /** Commits heard of since the last round began. */
  #commits = 0
  #gapMs = gaps.alone
  #why: Problem | undefined
  #isShown = true
  #showing: Promise<void> | undefined
  #tell: (error: unknown) => void = () => {}

  constructor(works: LogWorks) {
    this.#works = works
    alive.add(this.#owner)
  }

  /** What was found that nothing may be signed after, until somebody looked into it. */
  get halted(): Problem | undefined {
    return this.#why
  }

  /** Resolves when a round has ended: the one that is running, else the next. Throws why it failed. */
  turn(): Promise<void> {
    return this.#planned ?? this.#running ?? this.plan(false)
  }

  /** A round that begins after now, one for all who ask: what was committed before is in it. */
  plan(isDue: boolean): Promise<void> {
    this.#planned ??= this.#begin(isDue)
    return this.#planned
  }

  /** Rounds as events come, from anywhere, and when the last was long ago; `tell` hears why one failed. Returns a stop. */
  follow(tell: (error: unknown) => void): () => void {
    const { events } = this.#works.store
    this.#tell = tell
    let lastDueAt = performance.now()
    const stop = events.follow(news => {
      if (news.every(event => event.leaf === null)) return
      this.#commits += 1
      this.plan(false).catch(tell)
    })
    // What another process left, what failed, and what is due come with the poll.
    const poll = async () => {
      const isDue = performance.now() - lastDueAt > republishMs
      if (isDue) lastDueAt = performance.now()
      if (isDue || (await this.#isWaitedFor())) await this.plan(isDue)
      else if (!this.#isShown) this.#show()
    }
    const timer = setInterval(() => void poll().catch(tell), pollMs).unref()
    void poll().catch(tell)
    return () => {
      stop()
      clearInterval(timer)
    }
  }

  /** Waits for what is under way, then lets others have the log. */
  async close(): Promise<void> {
    await this.#planned?.catch(() => {})
    await this.#running?.catch(() => {})
    await this.#showing
    await this.#works.store.leases.release('log', this.#owner)
    alive.delete(this.#owner)
  }

  async #begin(isDue: boolean): Promise<void> {
    await this.#running?.catch(() => {})
    // Alone it begins at once; where several came together, each waits a little and all share one.
    const waitMs = this.#begunAt + this.#gapMs - performance.now()
    if (waitMs > 0) await delay(waitMs)
    this.#planned = undefined
    this.#begunAt = performance.now()
    const commits = this.#commits
    this.#commits = 0
    this.#running = this.#run(isDue, commits).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(isDue: boolean, commits: number): Promise<void> {
    if (this.#why !== undefined) throw this.#why
    this.#gapMs = gaps.failed
    try {
      this.#gapMs = (await this.#hold()) ? await this.#round(isDue, commits) : gaps.elsewhere
    } catch (error) {
      this.#edge = undefined
      this.#halt(error)
      throw error
    }
  }

  #halt(error: unknown): void {
    if (isProblem(error) && fatal.includes(error.code)) this.#why ??= error
  }

  /** The file follows the row: nobody who publishes waits for it. */
  #show(): void {
    this.#isShown = false
    this.#showing ??= this.#showAll().finally(() => {
      this.#showing = undefined
    })
  }

  async #showAll(): Promise<void> {
    while (!this.#isShown && this.#why === undefined) {
      await delay(showMs)
      this.#isShown = true
      try {
        await showCheckpoint(this.#works)
      } catch (error) {
        this.#isShown = false // the next round or look tries again
        this.#halt(error)
        return this.#tell(error)
      }
    }
  }

  async #round(isDue: boolean, commits: number): Promise<number> {
    if (!this.#hasChecked) await checkLog(this.#works)
    this.#hasChecked = true
    const { edge, isPublished, isNew } = await runRound(this.#works, this.#edge, isDue)
    this.#edge = edge
    if (!isPublished) return gaps.unheard
    if (isNew) this.#show()
    // Not by leaves: the first version of a package has three, with its owner and its tag.
    return commits > 1 ? gaps.several : gaps.alone
  }

  /** The lease only spares work: of two that think they have it one moves the head, and one publishes. */
  async #hold(): Promise<boolean> {
    const { store, clock } = this.#works
    if (clock() < this.#renewAt) return true
    const renewAt = clock() + leaseMs / 2
    const acquire = () => store.leases.acquire('log', this.#owner, leaseMs)
    const lease = (await acquire()) ?? ((await this.#takeFromTheDead()) ? await acquire() : undefined)
    this.#renewAt = lease === undefined ? Number.NEGATIVE_INFINITY : renewAt
    return lease !== undefined
  }

  /** Nobody who publishes after a crash waits for the lease of a process that is no more. */
  async #takeFromTheDead(): Promise<boolean> {
    const { leases } = this.#works.store
    const owner = await leases.owner('log')
    const [host, pid] = owner.split(' ')
    // In a container every run has the same process number.
    if (host !== hostname() || (Number(pid) !== process.pid && isAlive(Number(pid)))) return false
    if (alive.has(owner)) return false
    await leases.release('log', owner)
    return true
  }

  async #isWaitedFor(): Promise<boolean> {
    const { log } = this.#works.store
    const { size, count } = await log.countWaiting(1)
    return count > 0 || size > ((await log.published())?.size ?? 0)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it lives, and belongs to somebody else
  }
}
