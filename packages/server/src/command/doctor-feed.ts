// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at in the direction of the feeds of advisories: how old what they told is, and what failed last. */
import { dirname } from 'node:path'
import { isProblem } from '@holdfast/core'
import { feedsOf } from '../config.ts'
import { type FeedState, listFeedStates } from '../flow/index.ts'
import { type Config, type OpenPorts, openAdvisorySource, openOutbound } from '../main.ts'
import { readSignedPack } from '../vulnerability/index.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'

type Driver = OpenPorts['driver']

const hourMs = 3600_000
const faultLength = 300
const oldPackMs = 30 * 24 * hourMs

/** A check of every feed; one that says so where there is none. */
export function feedChecks(config: Config, driver: Driver, now: number): Check[] {
  return [
    { name: 'feeds', look: () => checkFeeds(config, driver, now) },
    { name: 'packs', look: () => checkPacks(config, now) },
  ]
}

async function checkFeeds(config: Config, driver: Driver, now: number): Promise<readonly Finding[]> {
  const outbound = openOutbound(config.allowPrivateHosts)
  const advisorySources = feedsOf(config).map(told => openAdvisorySource(told, outbound))
  if (advisorySources.length === 0) return [explainNone(config)]
  const store = { advisories: { listFeeds: () => listFeeds(driver) } }
  const states = await listFeedStates({ store, clock: () => now, advisorySources })
  return states.map(state => judge(state, now))
}

/** What others signed: whether it still holds, and how old it is. */
async function checkPacks(
  { packKeys, screeningRules, popularNames }: Config,
  now: number,
): Promise<readonly Finding[]> {
  const names = popularNames === undefined ? undefined : dirname(popularNames)
  const folders = [...new Set([screeningRules, names])].filter(each => each !== undefined)
  if (packKeys.length === 0 || folders.length === 0)
    return [ok('packs', 'No rules or names are signed by others.')]
  return Promise.all(folders.map(folder => checkPack(folder, packKeys, now)))
}

async function checkPack(folder: string, keys: readonly string[], now: number): Promise<Finding> {
  try {
    const { by, madeAt } = await readSignedPack(folder, keys)
    const age = `${folder} was signed by ${by} ${hoursOf(now - madeAt)} ago.`
    if (now - madeAt <= oldPackMs) return ok('packs', age)
    return warn('packs', age, 'Ask whoever makes it for a newer one, or whether there is none.')
  } catch (error) {
    if (!isProblem(error)) throw error
    return fail(
      'packs',
      `${folder}: ${error.message}`,
      "Fetch it again, and compare the key in `packKeys` with the maker's.",
    )
  }
}

function explainNone({ origins = [] }: Config): Finding {
  if (origins.length === 0) return ok('feeds', 'There is no feed of advisories, and no upstream.')
  return warn(
    'feeds',
    'There is no feed of advisories: what is known to be bad upstream is not known here.',
    'Name one in `advisoryFeeds`, such as `osv`, or load records with `holdfast operator advisories`.',
  )
}

async function listFeeds({ db }: Driver) {
  const rows = await db.selectFrom('feed').selectAll().execute()
  return rows.map(row => ({
    ...{ name: row.name, records: row.records, faults: row.faults, fault: row.fault },
    takenAt: Number(row.taken_at),
    changedAt: Number(row.changed_at),
  }))
}

function judge({ source, feed, isSilent }: FeedState, now: number): Finding {
  const { name, label } = source
  const about = name === label ? name : `${name} (${label})`
  const why =
    feed === undefined || feed.fault === '' ? '' : ` It failed last: ${feed.fault.slice(0, faultLength)}.`
  const todo = 'Check its address and the way out; a running registry asks every 15 minutes.'
  if (feed === undefined) return warn('feeds', `${about} was not asked yet.`, 'Start the registry.')
  if (feed.takenAt === 0) return fail('feeds', `${about} was never read.${why}`, todo)
  const age = `${about} was read ${hoursOf(now - feed.takenAt)} ago, ${feed.records} records.`
  if (isSilent)
    return fail('feeds', `${age} It is silent: release ages stand still, two weeks at most.${why}`, todo)
  return why === '' ? ok('feeds', age) : warn('feeds', `${age}${why}`, todo)
}

function hoursOf(ms: number): string {
  const hours = Math.floor(ms / hourMs)
  return hours < 1 ? 'less than an hour' : hours === 1 ? 'an hour' : `${hours} hours`
}
