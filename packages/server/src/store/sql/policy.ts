// SPDX-License-Identifier: Apache-2.0
/** The policy with its versions, its exceptions, and what is known against packages. */
import { type Digest, type PackageName, problem, type Version } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { Advisory, Policy, Rule, Waiver } from '../../catalog/index.ts'
import type { PolicyReads, PolicyWrites } from '../../ports.ts'
import { fromAdvisory, toAdvisory } from './advisory.ts'
import { isUniqueViolation } from './driver.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'

/** Both engines bound the parameters of a statement. */
const atOnce = 500

const waiverRows = prepare((db, name: string) =>
  db.selectFrom('waiver').selectAll().where('package', '=', name).orderBy('asked_at'),
)
const advisoryRows = prepare((db, name: string) =>
  db.selectFrom('advisory').selectAll().where('package', '=', name).orderBy('id'),
)
const siblingRows = prepare((db, from: string, to: string, since: number) => {
  const ofScope = db.selectFrom('advisory').selectAll().where('package', '>', from).where('package', '<', to)
  return ofScope.where('published_at', '>=', since).orderBy('id').limit(atOnce)
})
const oneBadDigest = prepare(db => db.selectFrom('bad_digest').select('digest').limit(1))
const firstUses = prepare((db, name: string) =>
  db.selectFrom('first_use').select(['version', 'at']).where('package', '=', name),
)
const grandfatheredRows = prepare((db, name: string) =>
  db.selectFrom('grandfathered').select(['version', 'at']).where('package', '=', name),
)

/** The policy's questions, over a connection or a transaction. */
export function policyReads(db: Kysely<Schema>): PolicyReads {
  const waivers = () => db.selectFrom('waiver').selectAll()
  return {
    current: () => current(db),
    async listWaivers(name) {
      return (await waiverRows(db, name)).rows.map(toWaiver)
    },
    async findWaiver(id) {
      const row = await waivers().where('id', '=', id).executeTakeFirst()
      return row && toWaiver(row)
    },
    async listAllWaivers(state, limit) {
      const query = state === undefined ? waivers() : waivers().where('state', '=', state)
      return (await query.orderBy('asked_at', 'desc').orderBy('id').limit(limit).execute()).map(toWaiver)
    },
    async listWaiversEnding(before) {
      const query = waivers().where('state', '=', 'granted').where('ends_at', '<=', before)
      return (await query.orderBy('ends_at').orderBy('id').execute()).map(toWaiver)
    },
    async listAdvisories(name) {
      return (await advisoryRows(db, name)).rows.map(toAdvisory)
    },
    async listAdvisoriesOf(names) {
      const found: Advisory[] = []
      for (let at = 0; at < names.length; at += atOnce) {
        const query = db
          .selectFrom('advisory')
          .selectAll()
          .where('package', 'in', names.slice(at, at + atOnce))
        found.push(...(await query.orderBy('package').orderBy('id').execute()).map(toAdvisory))
      }
      return found
    },
    async listSiblingAdvisories(scope, since) {
      // '0' follows '/': all names of the scope and no other.
      return (await siblingRows(db, `${scope}/`, `${scope}0`, since)).rows.map(toAdvisory)
    },
    async listBadDigests(digests) {
      const found = new Map<Digest, string>()
      // Mostly there are none, and packages with many versions.
      if ((await oneBadDigest(db)).rows.length === 0) return found
      for (let at = 0; at < digests.length; at += atOnce) {
        const some = digests.slice(at, at + atOnce)
        const rows = await db.selectFrom('bad_digest').selectAll().where('digest', 'in', some).execute()
        for (const row of rows) found.set(row.digest as Digest, row.why)
      }
      return found
    },
    async listGrandfathered(name) {
      const first = new Map<Version, number>()
      for (const firstOf of [firstUses, grandfatheredRows]) {
        for (const { version, at } of (await firstOf(db, name)).rows)
          first.set(version as Version, Math.min(at, first.get(version as Version) ?? at))
      }
      return first
    },
  }
}

/** The policy's changes, inside a transaction. */
export function policyWrites(db: Kysely<Schema>): PolicyWrites {
  return {
    async setPolicy({ version, rules, enforcedSince }, at) {
      const row = {
        version,
        rules: JSON.stringify(rules),
        enforced_since: JSON.stringify([...enforcedSince]),
        at,
      }
      try {
        await db.insertInto('policy').values(row).execute()
      } catch (error) {
        // Somebody else was first: what they set is what is to be changed now.
        if (!isUniqueViolation(error)) throw error
        throw problem('revision-conflict', { name: 'the policy' })
      }
    },
    async setWaiver(waiver) {
      const row = fromWaiver(waiver)
      const { id: _, ...values } = row
      await db
        .insertInto('waiver')
        .values(row)
        .onConflict(clash => clash.column('id').doUpdateSet(values))
        .execute()
    },
    async setAdvisory(advisory) {
      const row = fromAdvisory(advisory)
      await db
        .insertInto('advisory')
        .values(row)
        .onConflict(clash => clash.columns(['package', 'id']).doUpdateSet(row))
        .execute()
    },
    async setBadDigest({ digest, why }) {
      await db
        .insertInto('bad_digest')
        .values({ digest, why })
        .onConflict(clash => clash.column('digest').doUpdateSet({ why }))
        .execute()
    },
    grandfather: (versions, at) =>
      addFirst(
        db,
        'grandfathered',
        versions.map(each => ({ ...each, at })),
      ),
  }
}

/** Notes since when versions are used, where nothing earlier is known. */
export async function addFirst(
  db: Kysely<Schema>,
  table: 'first_use' | 'grandfathered',
  uses: readonly Schema['first_use'][],
): Promise<void> {
  for (let from = 0; from < uses.length; from += atOnce) {
    await db
      .insertInto(table)
      .values(uses.slice(from, from + atOnce))
      .onConflict(clash =>
        clash
          .columns(['package', 'version'])
          .doUpdateSet(eb => ({ at: eb.ref('excluded.at') }))
          .whereRef(`${table}.at`, '>', 'excluded.at'),
      )
      .execute()
  }
}

async function current(db: Kysely<Schema>): Promise<Policy | undefined> {
  const row = await db.selectFrom('policy').selectAll().orderBy('version', 'desc').limit(1).executeTakeFirst()
  if (row === undefined) return undefined
  return {
    version: row.version,
    rules: JSON.parse(row.rules) as Rule[],
    enforcedSince: new Map(JSON.parse(row.enforced_since) as [string, number][]),
  }
}

function toWaiver(row: Selectable<Schema['waiver']>): Waiver {
  return {
    id: row.id,
    package: row.package as PackageName,
    version: row.version as Version,
    rules: row.rules.split(' '),
    grounds: JSON.parse(row.grounds) as string[],
    reason: row.reason,
    state: row.state as Waiver['state'],
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    endsAt: row.ends_at,
    notifiedAt: row.notified_at,
  }
}

function fromWaiver(waiver: Waiver): Schema['waiver'] {
  return {
    id: waiver.id,
    package: waiver.package,
    version: waiver.version,
    rules: waiver.rules.join(' '),
    grounds: JSON.stringify(waiver.grounds),
    reason: waiver.reason,
    state: waiver.state,
    asked_by: waiver.askedBy,
    asked_at: waiver.askedAt,
    decided_by: waiver.decidedBy,
    decided_at: waiver.decidedAt,
    ends_at: waiver.endsAt,
    notified_at: waiver.notifiedAt,
  }
}
