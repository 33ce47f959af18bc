import { problem } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  Account,
  Approval,
  IdentityReads,
  IdentityUpkeep,
  IdentityWrites,
  InstanceRole,
  Invitation,
  Session,
  TfaMode,
} from '../../identity/index.ts'
import { addressReads, addressWrites } from './address.ts'
import { criticalReads, criticalWrites } from './critical.ts'
import { isUniqueViolation } from './driver.ts'
import { machineReads, machineWrites } from './machine.ts'
import { mailDomainReads, mailDomainWrites } from './mail-domain.ts'
import { orgReads, orgWrites } from './org.ts'
import { passkeyReads, passkeyUpkeep, passkeyWrites } from './passkey.ts'
import { peopleReads, peopleWrites } from './people.ts'
import { recoveryReads, recoveryWrites } from './recovery.ts'
import { rolesOf } from './role.ts'
import type { Schema } from './schema.ts'
import { throttleUpkeep } from './throttle.ts'
import { fromToken, toToken } from './token.ts'
import { tokenNoticeReads, tokenNoticeWrites } from './token-notice.ts'

const failureMemoryMs = 24 * 3600_000

/** Identity's questions, over a connection or a transaction. */
export function identityReads(db: Kysely<Schema>): IdentityReads {
  const account = async (column: 'id' | 'login_key', value: string) => {
    const row = await db.selectFrom('account').selectAll().where(column, '=', value).executeTakeFirst()
    return row && toAccount(row)
  }
  return {
    findAccount: id => account('id', id),
    findAccountByLogin: login => account('login_key', login.toLowerCase()),
    async listAccounts(after, limit) {
      const query = db.selectFrom('account').selectAll().where('login_key', '>', after.toLowerCase())
      return (await query.orderBy('login_key').limit(limit).execute()).map(toAccount)
    },
    async countAccounts() {
      return Number(
        (
          await db
            .selectFrom('account')
            .select(eb => eb.fn.countAll().as('n'))
            .executeTakeFirstOrThrow()
        ).n,
      )
    },
    async hasOperator() {
      const query = db
        .selectFrom('account')
        .select('id')
        .where('roles', 'like', '%"operator"%')
        .where('disabled_at', 'is', null)
      return (await query.limit(1).executeTakeFirst()) !== undefined
    },
    async findSession(hash) {
      const row = await db.selectFrom('session').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && toSession(row)
    },
    async listSessions(accountId) {
      const query = db.selectFrom('session').selectAll().where('account', '=', accountId)
      return (await query.orderBy('created_at', 'desc').execute()).map(toSession)
    },
    async findToken(hash, now) {
      const query = db
        .selectFrom('token')
        .selectAll()
        .where('hash', '=', hash)
        .where('revoked_at', 'is', null)
      const row = await query.executeTakeFirst()
      return row && (row.expires_at === null || row.expires_at > now) ? toToken(row) : undefined
    },
    async isTokenEnded(id) {
      const query = db.selectFrom('token').select('id').where('id', '=', id)
      return (await query.where('revoked_at', 'is not', null).executeTakeFirst()) !== undefined
    },
    async listTokens(accountId) {
      const query = db
        .selectFrom('token')
        .selectAll()
        .where('account', '=', accountId)
        .where('revoked_at', 'is', null)
      return (await query.orderBy('created_at', 'desc').orderBy('id').execute()).map(toToken)
    },
    async listTokensMade(since, until) {
      const query = db.selectFrom('token').selectAll().where('revoked_at', 'is', null)
      const made = query.where('created_at', '>=', since).where('created_at', '<', until)
      return (await made.orderBy('id').execute()).map(toToken)
    },
    async listSessionsMade(since, until) {
      const query = db.selectFrom('session').selectAll()
      const made = query.where('created_at', '>=', since).where('created_at', '<', until)
      return (await made.orderBy('id').execute()).map(toSession)
    },
    async findTokenHolder(id) {
      const query = db.selectFrom('token').select('account').where('id', '=', id)
      return (await query.where('revoked_at', 'is', null).executeTakeFirst())?.account
    },
    async countTokens(holderId, now) {
      const row = await db
        .selectFrom('token')
        .select(eb => eb.fn.countAll().as('n'))
        .where('account', '=', holderId)
        .where('revoked_at', 'is', null)
        .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },
    async findInvitation(hash) {
      const row = await db.selectFrom('invitation').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && toInvitation(row)
    },
    async findApproval(hash) {
      const row = await db.selectFrom('approval').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && toApproval(row)
    },
    async findApprovalByDone(hash) {
      const row = await db.selectFrom('approval').selectAll().where('done_hash', '=', hash).executeTakeFirst()
      return row && toApproval(row)
    },
    async roleOn(accountId, name) {
      return (await rolesOf(db, accountId, name)).get(name)
    },
    async countFailures(counter, sinceMs) {
      const row = await db
        .selectFrom('failure')
        .select(eb => [eb.fn.countAll().as('n'), eb.fn.min('at').as('oldest')])
        .where('counter', '=', counter)
        .where('at', '>', sinceMs)
        .executeTakeFirstOrThrow()
      return { count: Number(row.n), oldestAt: Number(row.oldest ?? 0) }
    },
    ...addressReads(db),
    ...recoveryReads(db),
    ...mailDomainReads(db),
    ...machineReads(db),
    ...orgReads(db),
    ...passkeyReads(db),
    ...peopleReads(db),
    ...tokenNoticeReads(db),
    ...criticalReads(db),
  }
}

/** Identity's changes, inside a transaction. */
export function identityWrites(db: Kysely<Schema>): IdentityWrites {
  const account = (id: string) => db.updateTable('account').where('id', '=', id)
  return {
    async addAccount(made) {
      try {
        await db.insertInto('account').values(fromAccount(made)).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('user-exists', { user: made.login })
      }
      const { addAddress, setAddressVerified } = addressWrites(db)
      await addAddress(made.id, made.email, made.createdAt)
      if (made.emailVerifiedAt !== null) await setAddressVerified(made.id, made.email, made.emailVerifiedAt)
    },
    async setPassword(id, hash) {
      await account(id).set({ password_hash: hash, password_leaked_at: null }).execute()
    },
    async setPasswordLeaked(id, at) {
      await account(id).set({ password_leaked_at: at }).execute()
    },
    async setProfile(id, profile) {
      await account(id)
        .set({ profile: JSON.stringify(profile) })
        .execute()
    },
    async setTfa(id, tfa, totpSealed) {
      await account(id).set({ tfa, totp_sealed: totpSealed }).execute()
    },
    async setRecoveryCodes(id, hashes) {
      await db.deleteFrom('recovery_code').where('account', '=', id).execute()
      if (hashes.length > 0)
        await db
          .insertInto('recovery_code')
          .values(hashes.map(hash => ({ account: id, hash })))
          .execute()
    },
    async useRecoveryCode(id, hash) {
      const gone = await db
        .deleteFrom('recovery_code')
        .where('account', '=', id)
        .where('hash', '=', hash)
        .executeTakeFirst()
      return gone.numDeletedRows > 0n
    },
    async addSession(hash, session) {
      await db
        .insertInto('session')
        .values({
          hash,
          id: session.id,
          account: session.accountId,
          created_at: session.createdAt,
          expires_at: session.expiresAt,
          last_seen_at: session.lastSeenAt,
          fresh_until: session.freshUntil,
          by_passkey: session.byPasskey ? 1 : 0,
          address: session.address,
          client: session.client,
        })
        .execute()
    },
    async removeSession(id) {
      await db.deleteFrom('session').where('id', '=', id).execute()
    },
    async addToken(hash, token) {
      await db.insertInto('token').values(fromToken(hash, token)).execute()
    },
    async revokeToken(id, at) {
      const query = db.updateTable('token').where('id', '=', id).where('revoked_at', 'is', null)
      return (await query.set({ revoked_at: at }).executeTakeFirst()).numUpdatedRows > 0n
    },
    async addInvitation(hash, invitation) {
      await db
        .insertInto('invitation')
        .values({
          hash,
          email: invitation.email,
          roles: JSON.stringify(invitation.roles),
          expires_at: invitation.expiresAt,
          used_at: null,
        })
        .execute()
    },
    async useInvitation(hash, at) {
      const query = db
        .updateTable('invitation')
        .where('hash', '=', hash)
        .where('used_at', 'is', null)
        .set({ used_at: at })
      return (await query.executeTakeFirst()).numUpdatedRows > 0n
    },
    async moveApproval(id, from, to, tokenSealed) {
      const query = db.updateTable('approval').where('id', '=', id).where('state', '=', from)
      return (
        (await query.set({ state: to, token_sealed: tokenSealed }).executeTakeFirst()).numUpdatedRows > 0n
      )
    },
    ...addressWrites(db),
    ...recoveryWrites(db),
    ...mailDomainWrites(db),
    ...machineWrites(db),
    ...orgWrites(db),
    ...passkeyWrites(db),
    ...peopleWrites(db),
    ...tokenNoticeWrites(db),
    ...criticalWrites(db),
  }
}

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

/** Bookkeeping without events. */
export function identityUpkeep(transact: Transact, dialect: 'sqlite' | 'postgres'): IdentityUpkeep {
  return {
    useTotpStep: (id, step) =>
      transact(async tx => {
        const query = tx
          .updateTable('account')
          .where('id', '=', id)
          .where('totp_step', '<', step)
          .set({ totp_step: step })
        return (await query.executeTakeFirst()).numUpdatedRows > 0n
      }),
    refreshSession: (id, lastSeenAt, freshUntil, byPasskey) =>
      transact(async tx => {
        await tx
          .updateTable('session')
          .where('id', '=', id)
          .set({ last_seen_at: lastSeenAt, fresh_until: freshUntil, by_passkey: byPasskey ? 1 : 0 })
          .execute()
      }),
    setTokensUsed: (ids, at) =>
      transact(async tx => {
        await tx
          .updateTable('token')
          .where('id', 'in', [...ids])
          .set({ last_used_at: at })
          .execute()
      }),
    addApproval: (hash, doneHash, made) =>
      transact(async tx => {
        await tx
          .deleteFrom('approval')
          .where('expires_at', '<', made.createdAt - failureMemoryMs)
          .execute()
        await tx
          .insertInto('approval')
          .values(fromApproval(hash, doneHash, made))
          .execute()
      }),
    addFailure: (counter, at) =>
      transact(async tx => {
        await tx
          .deleteFrom('failure')
          .where('counter', '=', counter)
          .where('at', '<', at - failureMemoryMs)
          .execute()
        await tx.insertInto('failure').values({ id: '', counter, at }).execute()
      }),
    ...throttleUpkeep(transact, dialect),
    clearFailures: counter =>
      transact(async tx => {
        await tx.deleteFrom('failure').where('counter', '=', counter).execute()
      }),
    ...passkeyUpkeep(transact),
  }
}

function fromAccount(made: Account): Schema['account'] {
  return {
    id: made.id,
    login: made.login,
    login_key: made.login.toLowerCase(),
    email: made.email,
    email_key: made.email.toLowerCase(),
    email_verified_at: made.emailVerifiedAt,
    password_hash: made.passwordHash,
    password_leaked_at: made.passwordLeakedAt,
    roles: JSON.stringify(made.roles),
    tfa: made.tfa,
    totp_sealed: made.totpSealed,
    totp_step: made.totpStep,
    has_passkey: made.hasPasskey ? 1 : 0,
    profile: JSON.stringify(made.profile),
    created_at: made.createdAt,
    disabled_at: made.disabledAt,
  }
}

/** A row as the account it keeps. */
export function toAccount(row: Selectable<Schema['account']>): Account {
  return {
    id: row.id,
    login: row.login,
    email: row.email,
    emailVerifiedAt: row.email_verified_at,
    passwordHash: row.password_hash,
    passwordLeakedAt: row.password_leaked_at,
    roles: JSON.parse(row.roles) as InstanceRole[],
    tfa: row.tfa as TfaMode,
    totpSealed: row.totp_sealed,
    totpStep: row.totp_step,
    hasPasskey: row.has_passkey === 1,
    profile: JSON.parse(row.profile) as Record<string, string>,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
  }
}

function toSession(row: Selectable<Schema['session']>): Session {
  return {
    id: row.id,
    accountId: row.account,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastSeenAt: row.last_seen_at,
    freshUntil: row.fresh_until,
    byPasskey: row.by_passkey === 1,
    address: row.address,
    client: row.client,
  }
}

function toInvitation(row: Selectable<Schema['invitation']>): Invitation {
  return {
    email: row.email,
    roles: JSON.parse(row.roles) as InstanceRole[],
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  }
}

function fromApproval(hash: string, doneHash: string, made: Approval): Schema['approval'] {
  return {
    hash,
    done_hash: doneHash,
    id: made.id,
    kind: made.kind,
    operation: made.operation,
    subject: made.subject,
    account: made.accountId,
    state: made.state,
    token_sealed: made.tokenSealed,
    created_at: made.createdAt,
    expires_at: made.expiresAt,
    address: made.address,
    client: made.client,
  }
}

function toApproval(row: Selectable<Schema['approval']>): Approval {
  return {
    id: row.id,
    kind: row.kind as Approval['kind'],
    operation: row.operation,
    subject: row.subject,
    accountId: row.account,
    state: row.state as Approval['state'],
    tokenSealed: row.token_sealed,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    address: row.address,
    client: row.client,
  }
}
