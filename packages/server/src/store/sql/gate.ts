// SPDX-License-Identifier: Apache-2.0
/** The gate's tables, row by row, as the log's leaves would have them: what an audit compares with the log. */
import {
  type Digest,
  decodeLeaf,
  describePublisher,
  describeTrust,
  encodeCanonical,
  formatIntegrity,
} from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { GateReads } from '../../ports.ts'
import { tfaDemands } from './catalog.ts'
import type { Schema } from './schema.ts'

/** Databases take some hundred values at once. */
const digestsAtOnce = 500

type Row = readonly [about: string, value: string]

/** Nothing here comes from a cache: what somebody wrote into a table behind the server's back shows. */
export function gateReads(db: Kysely<Schema>): GateReads {
  return {
    async list(now) {
      const tables = [readPeople, readOrganisations, readPackages, readStages, readPublishers, readPolicies]
      const rows: Row[] = []
      for (const read of tables) rows.push(...(await read(db, now)))
      return new Map(rows)
    },
    async listDocuments() {
      const events = db
        .selectFrom('event')
        .select('leaf')
        .where('type', 'in', ['trusted-publisher', 'policy'])
      const digests = (await events.execute()).flatMap(({ leaf }) => {
        const { config } = leaf === null ? {} : decodeLeaf(leaf)
        return typeof config === 'string' ? [config] : []
      })
      const texts: string[] = []
      for (let from = 0; from < digests.length; from += digestsAtOnce) {
        const some = digests.slice(from, from + digestsAtOnce)
        const found = db.selectFrom('leaf_document').select('text').where('digest', 'in', some)
        texts.push(...(await found.execute()).map(({ text }) => text))
      }
      return texts
    },
  }
}

async function readPeople(db: Kysely<Schema>): Promise<Row[]> {
  const accounts = await db.selectFrom('account').select(['id', 'roles', 'disabled_at']).execute()
  const roles = await db.selectFrom('package_role').selectAll().execute()
  return [
    ...accounts.flatMap(({ id, roles: held }) =>
      (JSON.parse(held) as string[]).map((role): Row => [`grant ${id} ${role}`, 'given']),
    ),
    ...accounts.flatMap(({ id, disabled_at }): Row[] =>
      disabled_at === null ? [] : [[`account ${id}`, 'disabled']],
    ),
    ...roles.map((row): Row => [`owner ${row.package} ${row.account}`, row.role]),
  ]
}

async function readOrganisations(db: Kysely<Schema>): Promise<Row[]> {
  const members = await db.selectFrom('org_member').selectAll().execute()
  const robots = await db.selectFrom('robot').select(['org', 'id']).where('removed_at', 'is', null).execute()
  const readers = db.selectFrom('trusted_reader').select(['org', 'id']).where('removed_at', 'is', null)
  const teams = await db.selectFrom('team').selectAll().execute()
  const teamIds = new Map(teams.map(({ org, name, id }) => [`${org}:${name}`, id]))
  const idOf = ({ org, team }: { org: string; team: string }) => teamIds.get(`${org}:${team}`) ?? team
  const inTeams = await db.selectFrom('team_member').selectAll().execute()
  const rights = await db.selectFrom('team_grant').selectAll().execute()
  return [
    ...members.map((row): Row => [`org @${row.org} ${row.account}`, row.role]),
    ...robots.map((row): Row => [`robot @${row.org} ${row.id}`, 'there']),
    ...(await readers.execute()).map((row): Row => [`reader @${row.org} ${row.id}`, 'there']),
    ...inTeams.map((row): Row => [`team @${row.org} ${idOf(row)} ${row.account}`, 'there']),
    ...rights.map((row): Row => [`owner ${row.package} ${idOf(row)}`, row.permission]),
  ]
}

async function readPackages(db: Kysely<Schema>): Promise<Row[]> {
  const packages = await db
    .selectFrom('package')
    .select(['name', 'access', 'requires_tfa', 'approvals'])
    .execute()
  const hosted = await db.selectFrom('hosted').select('pattern').execute()
  const freezes = await db
    .selectFrom('measure')
    .select('subject')
    .where('kind', '=', 'freeze')
    .where('undone_at', 'is', null)
    .execute()
  const frozen = Map.groupBy(freezes, ({ subject }) =>
    subject.startsWith('package:') ? subject.slice('package:'.length) : '*',
  )
  return [
    ...packages.map(({ name, access, requires_tfa, approvals }): Row => {
      return [`access ${name}`, `${access} ${tfaDemands[requires_tfa]} ${approvals}`]
    }),
    ...hosted.map(({ pattern }): Row => [`hosted-names ${pattern}`, 'there']),
    ...[...frozen].map(([about, each]): Row => [`freeze ${about}`, String(each.length)]),
  ]
}

async function readStages(db: Kysely<Schema>): Promise<Row[]> {
  const stages = await db.selectFrom('stage').select(['package', 'version', 'digest']).execute()
  const approvals = await db
    .selectFrom('stage_approval')
    .innerJoin('stage', 'stage.id', 'stage_approval.stage')
    .select(['stage.package', 'stage.version', 'stage_approval.account'])
    .execute()
  return [
    ...stages.map(
      (row): Row => [`stage ${row.package} ${row.version}`, formatIntegrity(row.digest as Digest)],
    ),
    ...approvals.map((row): Row => [`approval ${row.package} ${row.version} ${row.account}`, 'given']),
  ]
}

async function readPublishers(db: Kysely<Schema>, now: number): Promise<Row[]> {
  const rows = await db
    .selectFrom('trusted_publisher')
    .selectAll()
    .where('removed_at', 'is', null)
    .where(eb => eb.or([eb('pending_until', 'is', null), eb('pending_until', '>', now)]))
    .execute()
  return rows.map(row => {
    const { provider, issuer } = row
    const [rule, permissions] = [JSON.parse(row.rule), JSON.parse(row.permissions)]
    const about = row.pending_until === null ? `trusted-publisher ${row.package} ` : 'pending-publisher '
    return [`${about}${row.id}`, describePublisher({ provider, issuer, rule, permissions })]
  })
}

async function readPolicies(db: Kysely<Schema>, now: number): Promise<Row[]> {
  const newest = await db.selectFrom('policy').select('rules').orderBy('version', 'desc').limit(1).execute()
  const demands = await db.selectFrom('package_trust').selectAll().execute()
  const waivers = await db
    .selectFrom('waiver')
    .select(['id', 'package', 'version', 'ends_at'])
    .where('state', '=', 'granted')
    .where('ends_at', '>', now)
    .execute()
  return [
    ...newest.map(({ rules }): Row => ['policy *', encodeCanonical(JSON.parse(rules))]),
    ...demands.map((row): Row => {
      const [sources, lowering] = [JSON.parse(row.sources), JSON.parse(row.lowering)]
      return [`policy ${row.package}`, describeTrust({ level: row.level, sources, lowering })]
    }),
    ...waivers.map((row): Row => [`waiver ${row.id}`, `${row.package}@${row.version} until ${row.ends_at}`]),
  ]
}
