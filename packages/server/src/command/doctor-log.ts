// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at in the transparency log: what waits for it, its newest checkpoint, who signed that, and the signer's mark. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCheckpoint, parseNote, verifyNote, webCrypto } from '@holdfast/core'
import { type Config, type OpenPorts, openMark, readWitnessPolicy } from '../main.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'

type Driver = OpenPorts['driver']

interface Tree {
  readonly size: number
  readonly root: Uint8Array
}

interface Published extends Tree {
  readonly note: string
  readonly at: number
}

const waitingTooLongMs = 60_000
// Idle, it is published again every ten minutes.
const silentAfterMs = 30 * 60_000
const recover =
  'Stop the registry, keep every copy, and recover as the operating guide says: `holdfast log recover --from-tiles`.'

/** Checks of the log that change nothing and need no running registry. */
export function logChecks(config: Config, driver: Driver, now: number): Check[] {
  return [
    { name: 'log', look: () => checkRounds(driver, now) },
    { name: 'log-mark', look: () => checkMark(config, driver) },
    { name: 'log-quorum', look: () => checkQuorum(config, driver) },
    { name: 'log-readers', look: () => checkReaders(config, driver) },
  ]
}

/** A registry that does not run signs nothing: only what waits is a fault. */
async function checkRounds(driver: Driver, now: number): Promise<Finding> {
  const [published, oldestAt] = [await readPublished(driver), await readOldest(driver)]
  const waits = oldestAt === undefined ? 0 : now - oldestAt
  if (waits > waitingTooLongMs)
    return fail(
      'log',
      `An event has waited ${minutes(waits)} for its place in the log: what is published is not shown meanwhile.`,
      'Start the registry; if it runs, its log says why it stopped. After `log-unsynced` look after the disk first, then restart.',
    )
  if (published === undefined) return ok('log', 'The log has no checkpoint yet.')
  const age = `The newest checkpoint has ${published.size} entries and is ${minutes(now - published.at)} old.`
  if (now - published.at <= silentAfterMs) return ok('log', age)
  const todo =
    'A running registry signs anew every ten minutes: if it runs, look at its log and at its witnesses.'
  return warn('log', age, todo)
}

async function checkMark({ keys, data }: Config, driver: Driver): Promise<Finding> {
  const head = await readHead(driver)
  const mark = await openMark(join(keys, 'log.mark')).read()
  const shown = readShown(join(data, 'log', 'checkpoint'))
  for (const [what, tree] of [
    ['the mark of the signer', mark],
    ['the checkpoint in its folder', shown],
  ] as const) {
    if (tree === undefined) continue
    if (tree.size > head.size)
      return fail(
        'log-mark',
        `The database has ${head.size} entries, and ${what} ${tree.size} (log-behind).`,
        recover,
      )
    if (tree.size === head.size && Buffer.compare(tree.root, head.root) !== 0)
      return fail('log-mark', `The database has another tree than ${what} (log-forked).`, recover)
  }
  if (mark !== undefined || head.size === 0)
    return ok('log-mark', `What was signed last has ${mark?.size ?? 0} of ${head.size} entries.`)
  return warn(
    'log-mark',
    `The log has ${head.size} entries, and there is no mark of what was signed.`,
    'Put `log.mark` back beside the key: without it a database that is too old is noticed late.',
  )
}

/** Clients refuse a checkpoint that too few witnesses signed. */
async function checkQuorum({ witnesses }: Config, driver: Driver): Promise<Finding> {
  const published = await readPublished(driver)
  if (witnesses === undefined || published === undefined)
    return ok('log-quorum', 'No quorum of witnesses is asked for, or nothing is published yet.')
  const policy = await readWitnessPolicy(witnesses)
  const known = policy.witnesses.map(({ key }) => key)
  const signers = await verifyNote(webCrypto, parseNote(published.note), known).catch(() => [])
  const say = `${signers.length} of ${known.length} witnesses signed the newest checkpoint.`
  if (policy.isMet(signers)) return ok('log-quorum', say)
  return fail(
    'log-quorum',
    `${say} That is no quorum.`,
    'Look at the check `witnesses`; while they are silent nothing new is shown. After a change of the policy the next checkpoint has it.',
  )
}

/** What the log tells whom: opening the registry to everybody cannot be taken back, so it is told before. */
async function checkReaders({ read }: Config, driver: Driver): Promise<Finding> {
  const count = (access: string) =>
    driver.db
      .selectFrom('package')
      .select(eb => eb.fn.countAll().as('count'))
      .where('access', '=', access)
      .executeTakeFirstOrThrow()
      .then(row => Number(row.count))
  const [open, restricted] = [await count('public'), await count('restricted')]
  const what = `names, versions, times and events of ${open} public packages, and the hashes of everything`
  const hidden = `those of ${restricted} restricted ones stay with their readers`
  return ok(
    'log-readers',
    read === 'anyone'
      ? `Anyone reads in the log ${what}; ${hidden}.`
      : `Whoever signs in reads in the log ${what}; ${hidden}. With \`read: anyone\` everybody does, past events too.`,
  )
}

async function readHead({ db }: Driver): Promise<Tree & { readonly position: number }> {
  const row = await db.selectFrom('log_head').select(['size', 'root', 'position']).executeTakeFirst()
  return {
    ...{ size: Number(row?.size ?? 0), root: row?.root ?? new Uint8Array() },
    position: Number(row?.position ?? 0),
  }
}

async function readPublished({ db }: Driver): Promise<Published | undefined> {
  const row = await db.selectFrom('log_published').selectAll().executeTakeFirst()
  return row && { size: Number(row.size), root: row.root, note: row.note, at: Number(row.at) }
}

/** When what waits longest happened: with a place and under no checkpoint, or without a place. */
async function readOldest(driver: Driver): Promise<number | undefined> {
  const covered = (await readPublished(driver))?.size ?? 0
  const placed = await driver.db
    .selectFrom('log_leaf')
    .innerJoin('event', 'event.position', 'log_leaf.position')
    .select('event.at')
    .where('log_leaf.idx', '=', covered)
    .executeTakeFirst()
  const { position } = await readHead(driver)
  const query = driver.db.selectFrom('event').select('at').where('position', '>', position)
  const found = placed ?? (await query.where('leaf', 'is not', null).orderBy('position').executeTakeFirst())
  return found && Number(found.at)
}

function readShown(path: string): Tree | undefined {
  return existsSync(path) ? parseCheckpoint(parseNote(readFileSync(path, 'utf8')).text) : undefined
}

function minutes(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 60_000))
  return whole === 1 ? 'a minute' : `${whole} minutes`
}
