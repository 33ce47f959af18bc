// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at inside the instance: the database, each package's chain of events, the bytes. Nothing is changed. */
import { createHash } from 'node:crypto'
import { type Digest, decodeLeaf, formatIntegrity, parseDigest } from '@holdfast/core'
import { sql } from 'kysely'
import { auditPushLateMs, findPasskeyPlace } from '../flow/index.ts'
import { drillDueMs } from '../incident/index.ts'
import type { Config, OpenPorts } from '../main.ts'
import type { Ports } from '../ports.ts'
import { checkBlob } from './backup-folder.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'

type Driver = OpenPorts['driver']
type Blobs = Ports['blobs']

/** What is looked at besides names and sizes. */
export interface Depth {
  /** Reads every tarball and computes its digest. */
  readonly digests: boolean
  /** Removes bytes that no version has named for a day. */
  readonly scrub: boolean
  readonly told: (done: number) => void
}

const pageRows = 1000
const dayMs = 24 * 3600_000
const skewMs = 5 * 60_000
const neededPostgres = 140_000
const namedAtMost = 5

/** Checks of an open database and the blobs beside it. */
export function storeChecks(
  { publicUrl, auditPush, webhooks }: Config,
  driver: Driver,
  blobs: Blobs,
  now: number,
  depth: Depth,
): Check[] {
  return [
    { name: 'database', look: () => checkDatabase(driver) },
    { name: 'clock', look: () => checkClock(driver, now) },
    { name: 'events', look: () => checkEvents(driver) },
    ...(auditPush === undefined
      ? []
      : [{ name: 'audit-push', look: () => checkAuditPush(driver, auditPush, now) }]),
    { name: 'passkey-host', look: () => checkPasskeyHost(driver, publicUrl) },
    { name: 'webhooks', look: () => checkWebhooks(driver, webhooks) },
    { name: 'responders', look: () => checkResponders(driver) },
    { name: 'drills', look: () => checkDrills(driver, now) },
    { name: 'versions', look: () => checkVersions(driver) },
    { name: 'tarballs', look: () => checkTarballs(driver, blobs, depth) },
    ...(depth.digests || depth.scrub
      ? [{ name: 'orphans', look: () => checkOrphans(driver, blobs, now, depth) }]
      : []),
  ]
}

/** Nobody knows how fast an incident is contained that was never rehearsed; a young registry has time. */
async function checkDrills({ db }: Driver, now: number): Promise<Finding> {
  const done = db.selectFrom('drill').select(['playbook', 'ended_at']).where('state', '=', 'done')
  const last = await done.orderBy('ended_at', 'desc').limit(1).executeTakeFirst()
  const first = await db.selectFrom('event').select('at').orderBy('position').limit(1).executeTakeFirst()
  const days = Math.floor((now - (last?.ended_at ?? first?.at ?? now)) / dayMs)
  const hint = 'Begin one with `holdfast drill worm`, or configure `drills: quarterly`.'
  if (days > drillDueMs / dayMs)
    return warn(
      'drills',
      `${last === undefined ? 'No drill was ever played' : `The last drill is ${days} days old`}.`,
      hint,
    )
  return ok(
    'drills',
    last === undefined ? 'No drill yet.' : `The last drill (${last.playbook}) is ${days} days old.`,
  )
}

/** Two people open what one closed: with fewer the machine's owner is the second. */
async function checkResponders({ db }: Driver): Promise<Finding> {
  const able = db.selectFrom('account').select('roles').where('disabled_at', 'is', null)
  const rows = await able.where('roles', 'like', '%"responder"%').execute()
  if (rows.length >= 2) return ok('responders', `${rows.length} people respond to incidents.`)
  return warn(
    'responders',
    rows.length === 0 ? 'Nobody responds to incidents.' : 'One person alone responds to incidents.',
    'Give two people the role: `holdfast operator role NAME --role responder`; until then `holdfast operator measure` is the second.',
  )
}

async function checkDatabase({ dialect, db }: Driver): Promise<Finding> {
  if (dialect === 'postgres') {
    const { rows } = await sql<{ server_version_num: string; server_version: string }>`
      select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version`.execute(
      db,
    )
    const say = `PostgreSQL ${rows[0]?.server_version} answers.`
    if (Number(rows[0]?.server_version_num) >= neededPostgres) return ok('database', say)
    return fail('database', say, 'Move to PostgreSQL 14 or newer.')
  }
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db)
  const faults = rows.map(row => row.integrity_check).filter(line => line !== 'ok')
  if (faults.length === 0) return ok('database', 'SQLite finds its file whole.')
  return fail(
    'database',
    `SQLite finds faults: ${name(faults)}.`,
    'Stop the registry, keep the folder as it is, and restore the last backup beside it.',
  )
}

/** Times stand in signed leaves: a clock that jumps writes what cannot be taken back. */
async function checkClock({ db }: Driver, now: number): Promise<Finding> {
  const newest = await db
    .selectFrom('event')
    .select('at')
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest === undefined || newest.at <= now + skewMs)
    return ok('clock', `It is ${new Date(now).toISOString()}, after everything that happened here.`)
  const say = `The newest event is of ${new Date(newest.at).toISOString()}, but the clock says ${new Date(now).toISOString()}.`
  return fail('clock', say, 'Set the clock (NTP), then start the registry again.')
}

/** What is pushed nowhere can be changed here before anybody else has it. */
async function checkAuditPush({ db }: Driver, address: string, now: number): Promise<Finding> {
  const { host } = new URL(address)
  const cursor = db.selectFrom('cursor').select('position').where('consumer', '=', 'audit-push')
  const position = (await cursor.executeTakeFirst())?.position ?? 0
  const rest = db.selectFrom('event').where('position', '>', position)
  const { waiting, oldest } = await rest
    .select(eb => [eb.fn.countAll().as('waiting'), eb.fn.min('at').as('oldest')])
    .executeTakeFirstOrThrow()
  if (Number(waiting) === 0 || now - Number(oldest) <= auditPushLateMs)
    return ok('audit-push', `${host} has the audit trail.`)
  return warn(
    'audit-push',
    `${waiting} events wait to be pushed to ${host}, the oldest of ${new Date(Number(oldest)).toISOString()}.`,
    'Start the registry; if it runs, its log says why the push fails (consumer audit-push).',
  )
}

/** Passkeys belong to a host name for ever: after a move to another nobody gets in with the ones from before. */
async function checkPasskeyHost({ db }: Driver, publicUrl: string): Promise<Finding> {
  const here = findPasskeyPlace(publicUrl)?.rpId
  const rows = await db
    .selectFrom('passkey')
    .select(eb => ['rp_id', eb.fn.countAll().as('count')])
    .groupBy('rp_id')
    .orderBy('rp_id')
    .execute()
  const elsewhere = rows.filter(row => row.rp_id !== here)
  if (elsewhere.length === 0) return ok('passkey-host', 'Every passkey works at the host of publicUrl.')
  const counts = elsewhere.map(row => `${row.count} of ${row.rp_id}`)
  return fail(
    'passkey-host',
    `Passkeys were made for another host than that of ${publicUrl}, and work there alone: ${name(counts)}.`,
    'Set publicUrl to that host again, or have their owners come by recovery and make new ones.',
  )
}

/** A webhook that fails tells nobody by itself. */
async function checkWebhooks({ db }: Driver, webhooks: Config['webhooks']): Promise<readonly Finding[]> {
  const rows = await db.selectFrom('webhook').selectAll().where('failures', '>', 0).execute()
  const failing = webhooks.flatMap(({ id, url }) => {
    const row = rows.find(each => each.id === id)
    if (row === undefined) return []
    const say = `The webhook at ${new URL(url).host} (${id}) has failed ${row.failures} times: ${row.why}.`
    return [warn('webhooks', say, 'Correct its address or whoever listens there; what waits comes then.')]
  })
  if (failing.length > 0 || webhooks.length === 0) return failing
  return [ok('webhooks', `None of ${webhooks.length} webhooks fails.`)]
}

interface Link {
  readonly seq: number
  readonly hash: string
}

/** Recomputes every leaf hash and follows each package's chain from its first event. */
async function checkEvents({ db }: Driver): Promise<Finding> {
  const chains = new Map<string, Link>()
  const faults: string[] = []
  // Read first: a running server may write on meanwhile, so what is found later may be more, never less.
  const ends = await readEnds(db)
  let position = 0
  for (;;) {
    const rows = await db
      .selectFrom('event')
      .selectAll()
      .where('position', '>', position)
      .orderBy('position')
      .limit(pageRows)
      .execute()
    for (const row of rows) {
      if (row.position !== position + 1) faults.push(`event ${position + 1} is missing`)
      position = row.position
      const why = row.leaf === null ? undefined : explainLeaf(row, row.leaf, chains)
      if (why !== undefined)
        faults.push(`event ${row.position}${row.pkg === null ? '' : ` of ${row.pkg}`}: ${why}`)
    }
    if (rows.length === 0) break
  }
  faults.push(...explainEnds(ends, position, chains))
  if (faults.length === 0)
    return ok(
      'events',
      `${position} events follow one another, and the chains of ${chains.size} packages are unbroken.`,
    )
  return fail(
    'events',
    `The record of events was changed: ${name(faults)}.`,
    'Somebody wrote to the database past the registry: treat it as an incident, and compare with a backup.',
  )
}

type EventRow = Readonly<{
  id: string
  at: number
  type: string
  pkg: string | null
  ver: string | null
  seq: number | null
  prev: string | null
  leaf_hash: string | null
}>

/** Why a leaf is not what was written, or undefined; moves the package's chain on. */
function explainLeaf(row: EventRow, leaf: string, chains: Map<string, Link>): string | undefined {
  const hash = createHash('sha256').update(Uint8Array.of(0)).update(leaf, 'utf8').digest('base64')
  if (hash !== row.leaf_hash) return 'its leaf does not give its hash'
  const said = decodeLeaf(leaf)
  const isSame =
    said['id'] === row.id &&
    said['at'] === row.at &&
    said['type'] === row.type &&
    (said['pkg'] ?? null) === row.pkg &&
    (said['ver'] || null) === row.ver &&
    (said['seq'] ?? null) === row.seq &&
    (said['prev'] ?? null) === row.prev
  if (!isSame) return 'its leaf says something else than its row'
  if (row.pkg === null) return undefined
  const last = chains.get(row.pkg)
  chains.set(row.pkg, { seq: row.seq ?? 0, hash })
  if (row.seq !== (last?.seq ?? 0) + 1) return `its number is ${row.seq} after ${last?.seq ?? 0}`
  return row.prev === (last?.hash ?? '') ? undefined : 'it does not follow the event before it'
}

interface Ends {
  readonly position: number
  readonly chains: readonly { readonly pkg: string; readonly seq: number; readonly leaf_hash: string }[]
}

async function readEnds(db: Driver['db']): Promise<Ends> {
  const chains = await db.selectFrom('package_chain').selectAll().execute()
  const { position } = await db.selectFrom('event_counter').select('position').executeTakeFirstOrThrow()
  return { position, chains }
}

/** What was cut off at the end shows in the counter and in the ends of the chains. */
function explainEnds(ends: Ends, position: number, chains: ReadonlyMap<string, Link>): string[] {
  const faults = position < ends.position ? [`event ${ends.position} is missing`] : []
  for (const { pkg, seq, leaf_hash } of ends.chains) {
    const end = chains.get(pkg)
    if ((end?.seq ?? 0) < seq || (end?.seq === seq && leaf_hash !== end.hash))
      faults.push(`the chain of ${pkg} ends elsewhere`)
  }
  return faults
}

/** Every version has exactly one publish event, of the same bytes. */
async function checkVersions({ db }: Driver): Promise<Finding> {
  const faults: string[] = []
  let count = 0
  let last = { package: '', version: '' }
  for (;;) {
    const rows = await db
      .selectFrom('version')
      .select(['package', 'version', 'digest'])
      .where(eb =>
        eb.or([
          eb('package', '>', last.package),
          eb.and([eb('package', '=', last.package), eb('version', '>', last.version)]),
        ]),
      )
      .orderBy('package')
      .orderBy('version')
      .limit(pageRows)
      .execute()
    for (const row of rows) {
      const why = await explainVersion(db, row)
      if (why !== undefined) faults.push(`${row.package}@${row.version}: ${why}`)
    }
    count += rows.length
    const end = rows.at(-1)
    if (end === undefined) break
    last = end
  }
  if (faults.length === 0) return ok('versions', `${count} versions are what their publish events say.`)
  return fail(
    'versions',
    `Versions differ from the record: ${name(faults)}.`,
    'Somebody wrote to the database past the registry: treat it as an incident, and compare with a backup.',
  )
}

async function explainVersion(
  db: Driver['db'],
  row: { package: string; version: string; digest: string },
): Promise<string | undefined> {
  const events = await db
    .selectFrom('event')
    .select('leaf')
    .where('pkg', '=', row.package)
    .where('ver', '=', row.version)
    .where('type', '=', 'publish')
    .execute()
  const [event] = events
  if (event === undefined || events.length > 1) return `it has ${events.length} publish events`
  const dist = decodeLeaf(event.leaf ?? '{}')['dist']
  const said = typeof dist === 'object' && dist !== null && 'integrity' in dist ? dist.integrity : undefined
  return said === formatIntegrity(parseDigest(row.digest))
    ? undefined
    : 'its bytes are not those that were published'
}

async function checkTarballs({ db }: Driver, blobs: Blobs, depth: Depth): Promise<Finding> {
  const faults: string[] = []
  let count = 0
  for await (const { digest, size } of namedBlobs(db)) {
    count += 1
    depth.told(count)
    const found = await blobs.size(digest)
    const damage = depth.digests && found === size ? await checkBlob(blobs, digest) : undefined
    if (found !== size)
      faults.push(found === undefined ? `${digest} is missing` : `${digest} has ${found} bytes, not ${size}`)
    else if (damage !== undefined) faults.push(`${digest} has changed`)
  }
  const how = depth.digests ? 'each gives its digest' : 'each has its size (--deep reads them)'
  if (faults.length === 0) return ok('tarballs', `All ${count} tarballs are there, and ${how}.`)
  const list = name(faults.map(fault => `${fault.slice(0, 16)}…${fault.slice(128)}`))
  return fail(
    'tarballs',
    `${faults.length} of ${count} tarballs are damaged: ${list}.`,
    'Put these files back from a backup (`holdfast restore --from FOLDER --verify` says if it is whole), or publish a new version.',
  )
}

async function* namedBlobs(db: Driver['db']): AsyncIterable<{ digest: Digest; size: number }> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('version')
      .select(eb => ['digest', eb.fn.max('size_bytes').as('size')])
      .where('status', '!=', 'removed')
      .where('digest', '>', after)
      .groupBy('digest')
      .orderBy('digest')
      .limit(pageRows)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    yield* rows.map(row => ({ digest: parseDigest(row.digest), size: Number(row.size) }))
    after = last.digest
  }
}

/** Bytes that no version names: left by a crash between bytes and commit, or of versions that were unpublished. */
async function checkOrphans({ db }: Driver, blobs: Blobs, now: number, { scrub }: Depth): Promise<Finding> {
  const before = now - dayMs
  const sum = { found: 0, bytes: 0, removed: 0 }
  for await (const digest of blobs.list()) {
    if (await isNamed(db, digest, before)) continue
    sum.found += 1
    sum.bytes += (await blobs.size(digest)) ?? 0
    if (scrub && (await blobs.removeKeptBefore(digest, before))) sum.removed += 1
  }
  const say = `${sum.found} tarballs (${Math.ceil(sum.bytes / 1024)} KiB) are named by no version`
  if (scrub) return ok('orphans', `${say}; ${sum.removed} were older than a day and are removed.`)
  if (sum.found === 0) return ok('orphans', `${say}.`)
  return warn(
    'orphans',
    `${say}: of unpublished versions, or of a publish that broke off.`,
    '`holdfast doctor --scrub` removes those older than a day.',
  )
}

/** What was unpublished within the day still counts: it may be wanted as evidence. So does what came in from an upstream. */
async function isNamed(db: Driver['db'], digest: Digest, before: number): Promise<boolean> {
  const row = await db
    .selectFrom('version')
    .select('digest')
    .where('digest', '=', digest)
    .where(eb => eb.or([eb('status', '!=', 'removed'), eb('removed_at', '>', before)]))
    .limit(1)
    .executeTakeFirst()
  if (row !== undefined) return true
  const staged = db.selectFrom('stage').select('digest').where('digest', '=', digest)
  if ((await staged.limit(1).executeTakeFirst()) !== undefined) return true
  const ingested = db.selectFrom('ingested').select('digest').where('digest', '=', digest)
  return (await ingested.limit(1).executeTakeFirst()) !== undefined
}

function name(faults: readonly string[]): string {
  const more = faults.length - namedAtMost
  return faults.slice(0, namedAtMost).join('; ') + (more > 0 ? `; and ${more} more` : '')
}
