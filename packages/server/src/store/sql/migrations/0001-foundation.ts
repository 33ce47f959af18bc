// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { type ColumnDataType, type Kysely, type RawBuilder, sql } from 'kysely'

type Columns = Readonly<Record<string, string>>

/**
 * Everything the first release keeps. A column reads `text`, `int`, `bytes`, with `?` when it may be null and `!`
 * when it alone is the primary key; the last argument lists keys over several columns.
 */
export async function up(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const table = tableMaker(db, dialect)
  await spine(table, db)
  await people(table, db)
  await machines(table, db)
  await packages(table, db)
  await policies(table, db)
  await upstreams(table, db)
  await incidents(table, db)
  await projects(table, db)
  await reading(table, db, dialect)
  await community(table, db)
}

type TableMaker = (name: string, columns: Columns, primary?: readonly string[]) => Promise<void>

async function spine(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('instance', { key: 'text!', value: 'text' })
  await table('event_counter', { one: 'int!', position: 'int' })
  await sql`insert into event_counter (one, position) values (1, 0)`.execute(db)
  await table('event', {
    position: 'int!',
    id: 'text',
    at: 'int',
    type: 'text',
    actor_kind: 'text',
    actor_id: 'text',
    pkg: 'text?',
    ver: 'text?',
    seq: 'int?',
    prev: 'text?',
    leaf: 'text?',
    leaf_hash: 'text?',
    detail: 'text',
  })
  await index(db, 'event', ['id'], true)
  await index(db, 'event', ['pkg', 'seq'], true)
  await index(db, 'event', ['pkg', 'ver'])
  await index(db, 'event', ['type', 'position'])
  // What waits for the log is found however much of the record lies between.
  await sql`create index event_for_log on event (position) where leaf is not null`.execute(db)
  await index(db, 'event', ['actor_id', 'position'])
  await table('leaf_document', { digest: 'text!', text: 'text' })
  await table('package_chain', { pkg: 'text!', seq: 'int', leaf_hash: 'text' })
  await table('log_leaf', { idx: 'int!', position: 'int' })
  await index(db, 'log_leaf', ['position'], true)
  await table('log_head', { one: 'int!', size: 'int', root: 'bytes', hashes: 'bytes', position: 'int' })
  const emptyRoot = createHash('sha256').digest()
  await sql`insert into log_head (one, size, root, hashes, position)
    values (1, 0, ${emptyRoot}, ${Buffer.alloc(0)}, 0)`.execute(db)
  await table('log_published', { one: 'int!', size: 'int', root: 'bytes', note: 'text', at: 'int' })
  await table('cursor', { consumer: 'text!', position: 'int', owner: 'text', until: 'int', fence: 'int' })
}

async function people(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('account', {
    id: 'text!',
    login: 'text',
    login_key: 'text',
    email: 'text',
    email_key: 'text',
    email_verified_at: 'int?',
    password_hash: 'text?',
    password_leaked_at: 'int?',
    roles: 'text',
    tfa: 'text',
    totp_sealed: 'text?',
    totp_step: 'int',
    has_passkey: 'int',
    profile: 'text',
    created_at: 'int',
    disabled_at: 'int?',
  })
  await index(db, 'account', ['login_key'], true)
  await index(db, 'account', ['email_key'])
  await table(
    'address',
    {
      account: 'text',
      email: 'text',
      email_key: 'text',
      domain: 'text',
      verified_at: 'int?',
      created_at: 'int',
    },
    ['account', 'email_key'],
  )
  await index(db, 'address', ['domain'])
  await table('mail_domain', {
    domain: 'text!',
    checked_at: 'int',
    takes_mail: 'int',
    registered_at: 'int?',
  })
  // Whoever proves an address first has it; an address that somebody only claims keeps nobody out.
  await sql`create unique index address_by_proof on address (email_key) where verified_at is not null`.execute(
    db,
  )
  await table('recovery', {
    id: 'text!',
    hash: 'text',
    cancel_hash: 'text',
    account: 'text',
    way: 'text',
    state: 'text',
    email: 'text',
    drops_factors: 'int',
    opened_by: 'text',
    began_at: 'int',
    ready_at: 'int',
    expires_at: 'int',
  })
  await index(db, 'recovery', ['hash'], true)
  await index(db, 'recovery', ['cancel_hash'], true)
  await index(db, 'recovery', ['account'])
  await table('recovery_code', { account: 'text', hash: 'text' }, ['account', 'hash'])
  await table('passkey', {
    id: 'text!',
    account: 'text',
    name: 'text',
    rp_id: 'text',
    public_key: 'text',
    counter: 'int',
    transports: 'text',
    backed_up: 'int',
    created_at: 'int',
    last_used_at: 'int?',
  })
  await index(db, 'passkey', ['account'])
  await table('used_challenge', { hash: 'text!', expires_at: 'int' })
  await index(db, 'used_challenge', ['expires_at'])
  await table('session', {
    hash: 'text!',
    id: 'text',
    account: 'text',
    created_at: 'int',
    expires_at: 'int',
    last_seen_at: 'int',
    fresh_until: 'int',
    by_passkey: 'int',
    address: 'text',
    client: 'text',
  })
  await index(db, 'session', ['id'], true)
  await index(db, 'session', ['account'])
  await table('token', {
    id: 'text!',
    hash: 'text',
    holder: 'text',
    account: 'text',
    name: 'text',
    description: 'text',
    origin: 'text',
    hint: 'text',
    limits: 'text',
    created_at: 'int',
    expires_at: 'int?',
    last_used_at: 'int?',
    revoked_at: 'int?',
  })
  await index(db, 'token', ['hash'], true)
  await index(db, 'token', ['account'])
  await index(db, 'token', ['expires_at'])
  await table('token_notice', { token: 'text', days: 'int' }, ['token', 'days'])
  await table('invitation', {
    hash: 'text!',
    email: 'text',
    roles: 'text',
    expires_at: 'int',
    used_at: 'int?',
  })
  await table('approval', {
    hash: 'text!',
    done_hash: 'text',
    id: 'text',
    kind: 'text',
    operation: 'text',
    subject: 'text',
    account: 'text?',
    state: 'text',
    token_sealed: 'text?',
    created_at: 'int',
    expires_at: 'int',
    address: 'text',
    client: 'text',
  })
  await index(db, 'approval', ['done_hash'], true)
  await index(db, 'approval', ['id'], true)
  await index(db, 'approval', ['expires_at'])
  await table('failure', { id: 'text', counter: 'text', at: 'int' })
  await index(db, 'failure', ['counter', 'at'])
  await index(db, 'failure', ['id'])
  await index(db, 'failure', ['at'])
  await table('scope_name', { name: 'text!' })
  await table('org', { name: 'text!', created_at: 'int' })
  await table('org_member', { org: 'text', account: 'text', role: 'text' }, ['org', 'account'])
  await index(db, 'org_member', ['account'])
  await table('team', { org: 'text', name: 'text', id: 'text' }, ['org', 'name'])
  await table('team_member', { org: 'text', team: 'text', account: 'text' }, ['org', 'team', 'account'])
  await index(db, 'team_member', ['account'])
  await table('team_grant', { org: 'text', team: 'text', package: 'text', permission: 'text' }, [
    'org',
    'team',
    'package',
  ])
  await index(db, 'team_grant', ['package'])
}

async function machines(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('trusted_publisher', {
    id: 'text!',
    package: 'text',
    provider: 'text',
    issuer: 'text',
    rule: 'text',
    permissions: 'text',
    created_at: 'int',
    created_by: 'text',
    starts_at: 'int',
    pending_until: 'int?',
    last_used_at: 'int?',
    removed_at: 'int?',
  })
  await index(db, 'trusted_publisher', ['package'])
  await index(db, 'trusted_publisher', ['created_by'])
  await table('trusted_reader', {
    id: 'text!',
    org: 'text',
    provider: 'text',
    issuer: 'text',
    rule: 'text',
    created_at: 'int',
    created_by: 'text',
    removed_at: 'int?',
  })
  await index(db, 'trusted_reader', ['org'])
  await index(db, 'trusted_reader', ['issuer'])
  await table('robot', {
    id: 'text!',
    org: 'text',
    name: 'text',
    created_at: 'int',
    created_by: 'text',
    removed_at: 'int?',
  })
  await index(db, 'robot', ['org'])
  await table('used_nonce', { issuer: 'text', nonce: 'text', until: 'int' }, ['issuer', 'nonce'])
  await index(db, 'used_nonce', ['until'])
  await table('job', { token: 'text!', publisher: 'text', facts: 'text', at: 'int' })
}

async function packages(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('hosted', { pattern: 'text!', created_at: 'int' })
  await table(
    'critical_package',
    { package: 'text', source: 'text', why: 'text', since: 'int', binds_at: 'int' },
    ['package', 'source'],
  )
  await table('package', {
    name: 'text!',
    confusable: 'text',
    scope: 'text',
    access: 'text',
    description: 'text',
    keywords: 'text',
    readme: 'text',
    created_at: 'int',
    modified_at: 'int',
    revision: 'int',
    requires_tfa: 'int',
    approvals: 'int',
    approvals_before: 'int',
    approvals_from: 'int',
    removed_at: 'int?',
    latest: 'text?',
    downloads: 'int',
  })
  await index(db, 'package', ['confusable'])
  await index(db, 'package', ['scope'])
  await index(db, 'package', ['modified_at'])
  await table(
    'version',
    {
      package: 'text',
      version: 'text',
      ordinal: 'int',
      status: 'text',
      reason: 'text',
      deprecated: 'text',
      digest: 'text',
      shasum: 'text',
      size_bytes: 'int',
      unpacked_size_bytes: 'int',
      file_count: 'int',
      manifest: 'text',
      short_manifest: 'text',
      signatures: 'text',
      has_install_script: 'int',
      dependencies: 'text',
      logged: 'int',
      published_at: 'int',
      publisher: 'text',
      token: 'text',
      approver: 'text',
      removed_at: 'int?',
    },
    ['package', 'version'],
  )
  await index(db, 'version', ['package', 'ordinal'], true)
  await index(db, 'version', ['digest'])
  await table('stage', {
    id: 'text!',
    package: 'text',
    version: 'text',
    tag: 'text',
    manifest: 'text',
    readme: 'text',
    digest: 'text',
    shasum: 'text',
    size_bytes: 'int',
    staged_at: 'int',
    expires_at: 'int',
    stager: 'text',
    stager_kind: 'text',
    token: 'text',
    proof: 'text',
  })
  await index(db, 'stage', ['package', 'version'], true)
  await index(db, 'stage', ['expires_at'])
  await index(db, 'stage', ['digest'])
  await table('stage_approval', { stage: 'text', account: 'text', at: 'int' }, ['stage', 'account'])
  await table('dependency', { package: 'text', dependency: 'text' }, ['dependency', 'package'])
  await index(db, 'dependency', ['package'])
  await table('dist_tag', { package: 'text', tag: 'text', version: 'text' }, ['package', 'tag'])
  await table('package_role', { package: 'text', account: 'text', role: 'text' }, ['package', 'account'])
  await index(db, 'package_role', ['account'])
  await table('star', { package: 'text', account: 'text' }, ['package', 'account'])
  await index(db, 'star', ['account'])
}

async function upstreams(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('mirror', {
    name: 'text!',
    origin: 'text',
    revision: 'int',
    etag: 'text',
    last_modified: 'text',
    checked_at: 'int',
    read_whole_at: 'int',
    changed_at: 'int',
    used_at: 'int',
    is_gone: 'int',
    description: 'text',
    created_at: 'int',
    modified_at: 'int',
    tags: 'text',
    left_out: 'text',
    facts: 'bytes',
  })
  await index(db, 'mirror', ['origin', 'used_at'])
  await index(db, 'mirror', ['origin', 'checked_at'])
  await table('mirror_term', { term: 'text', package: 'text', weight: 'int' }, ['term', 'package'])
  await table('mirror_source', { name: 'text!', source: 'bytes' })
  await table('mirror_signature', { name: 'text!', key_id: 'text', signatures: 'text' })
  await table(
    'ingested',
    {
      package: 'text',
      version: 'text',
      origin: 'text',
      digest: 'text',
      shasum: 'text',
      size_bytes: 'int',
      has_install_script: 'int',
      published_at: 'int',
      ingested_at: 'int',
      last_used_at: 'int',
      dropped_at: 'int?',
      provenance: 'text',
      provenance_at: 'int',
    },
    ['package', 'version'],
  )
  await table(
    'provenance',
    {
      package: 'text',
      version: 'text',
      bundle: 'bytes',
      sha256: 'text',
      predicate_type: 'text',
      build: 'text',
      root: 'text',
      is_public: 'int',
      signed_at: 'int',
      signer: 'text',
      verified_at: 'int',
    },
    ['package', 'version'],
  )
  await index(db, 'provenance', ['signer'], true)
  await table('assessment', {
    at: 'int!',
    release: 'text',
    passed: 'int',
    text: 'text',
    key_id: 'text',
    signature: 'text',
  })
  await table('source_link', { repository: 'text!', checked_at: 'int', gone_since: 'int?' })
  await index(db, 'source_link', ['checked_at'])
  await table('package_trust', { package: 'text!', level: 'text', sources: 'text', lowering: 'text' })
  await table(
    'attestation',
    { package: 'text', version: 'text', text: 'bytes', finding: 'text', checked_at: 'int' },
    ['package', 'version'],
  )
  await index(db, 'ingested', ['provenance', 'provenance_at'])
  await index(db, 'ingested', ['digest'])
  await index(db, 'ingested', ['last_used_at'])
  await table(
    'upstream_measure',
    { package: 'text', version: 'text', status: 'text', reason: 'text', at: 'int' },
    ['package', 'version'],
  )
}

async function incidents(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('incident_case', {
    id: 'text!',
    kind: 'text',
    title: 'text',
    state: 'text',
    severity: 'text',
    opened_by: 'text',
    opened_at: 'int',
    lead: 'text',
    taken_at: 'int?',
    revision: 'int',
  })
  await index(db, 'incident_case', ['opened_at'])
  await index(db, 'incident_case', ['title'])
  await table('incident_subject', { incident: 'text', package: 'text', version: 'text' }, [
    'incident',
    'package',
    'version',
  ])
  await table(
    'incident_note',
    { incident: 'text', ordinal: 'int', at: 'int', author: 'text', words: 'text' },
    ['incident', 'ordinal'],
  )
  // What people do about a case.
  await table('incident_role', { incident: 'text', role: 'text', person: 'text' }, [
    'incident',
    'role',
    'person',
  ])
  await table(
    'incident_task',
    {
      incident: 'text',
      ordinal: 'int',
      words: 'text',
      playbook: 'text',
      done_by: 'text',
      done_at: 'int?',
    },
    ['incident', 'ordinal'],
  )
  await table(
    'incident_indicator',
    { incident: 'text', kind: 'text', value: 'text', author: 'text', at: 'int' },
    ['incident', 'kind', 'value'],
  )
  // What people report; the version is empty for a package as a whole, the login where a package is reported.
  await table('report', {
    id: 'text!',
    package: 'text',
    version: 'text',
    login: 'text',
    kind: 'text',
    words: 'text',
    evidence: 'text',
    reporter: 'text',
    mailbox: 'text',
    incident: 'text',
    state: 'text',
    secret_hash: 'text',
    made_at: 'int',
  })
  await index(db, 'report', ['incident'])
  await index(db, 'report', ['reporter'])
  await index(db, 'report', ['state', 'made_at'])
  await index(db, 'report', ['secret_hash'])
  // Rehearsals: one at a time is without an end.
  await table('drill', {
    id: 'text!',
    playbook: 'text',
    path: 'text',
    packages: 'int',
    state: 'text',
    started_by: 'text',
    started_at: 'int',
    attack_at: 'int?',
    detected_at: 'int?',
    contained_at: 'int?',
    notified_at: 'int?',
    ended_at: 'int?',
    report: 'text',
  })
  await index(db, 'drill', ['started_at'])
  await table('reporter_mark', { reporter: 'text!', marked: 'int' })
  // What people closed: of a freeze the subject says what, of a quarantine the rows beside it.
  await table('measure', {
    id: 'text!',
    kind: 'text',
    subject: 'text',
    reason: 'text',
    words: 'text',
    actor: 'text',
    incident: 'text',
    made_at: 'int',
    lapses_at: 'int?',
    confirmed_by: 'text',
    undo_asked_by: 'text',
    undone_by: 'text',
    undone_at: 'int?',
    wanted: 'int',
    finished_at: 'int?',
  })
  await index(db, 'measure', ['subject', 'undone_at'])
  await index(db, 'measure', ['undone_at', 'lapses_at'])
  await table(
    'measure_version',
    { measure: 'text', package: 'text', version: 'text', was: 'text', why: 'text' },
    ['measure', 'package', 'version'],
  )
  await index(db, 'measure_version', ['package', 'version'])
  // Letters to those who have what a case is about.
  await table('blast_letter', { incident: 'text', account: 'text', sent_at: 'int', done_at: 'int?' }, [
    'incident',
    'account',
  ])
  await index(db, 'blast_letter', ['account'])
  await table(
    'screening',
    {
      package: 'text',
      version: 'text',
      origin: 'text',
      digest: 'text',
      state: 'text',
      score: 'int',
      rules: 'text',
      findings: 'text',
      fault: 'text',
      may_hold: 'int',
      screened_at: 'int',
      hold: 'text',
      held_at: 'int?',
      reminders: 'int',
      decided_by: 'text',
      decided_at: 'int?',
      words: 'text',
    },
    ['package', 'version'],
  )
  await index(db, 'screening', ['hold', 'held_at'])
  await index(db, 'screening', ['state', 'screened_at'])
  await index(db, 'screening', ['rules'])
  // How identities publish: with which tokens, from which networks.
  await table('habit', { actor: 'text', kind: 'text', value: 'text', first_at: 'int', last_at: 'int' }, [
    'actor',
    'kind',
    'value',
  ])
}

/** Lock files that people submitted, and of what they were told about them. */
async function projects(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('project_lock', {
    id: 'text!',
    owner: 'text',
    project: 'text',
    branch: 'text',
    manager: 'text',
    digest: 'text',
    entries: 'int',
    submitted_by: 'text',
    submitted_at: 'int',
  })
  await index(db, 'project_lock', ['owner', 'project', 'branch'], true)
  await table(
    'project_entry',
    {
      lock: 'text',
      package: 'text',
      version: 'text',
      direct: 'int',
      scope: 'text',
      own: 'int?',
      path: 'text',
    },
    ['lock', 'package', 'version'],
  )
  await index(db, 'project_entry', ['package', 'version'])
  await table('project_told', { owner: 'text', project: 'text', about: 'text', at: 'int' }, [
    'owner',
    'project',
    'about',
  ])
}

async function policies(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table('policy', { version: 'int!', rules: 'text', enforced_since: 'text', at: 'int' })
  await table('waiver', {
    id: 'text!',
    package: 'text',
    version: 'text',
    rules: 'text',
    grounds: 'text',
    reason: 'text',
    state: 'text',
    asked_by: 'text',
    asked_at: 'int',
    decided_by: 'text',
    decided_at: 'int?',
    ends_at: 'int?',
    notified_at: 'int?',
  })
  await index(db, 'waiver', ['package'])
  await index(db, 'waiver', ['state', 'ends_at'])
  await index(db, 'waiver', ['asked_at'])
  await table(
    'advisory',
    {
      package: 'text',
      id: 'text',
      range: 'text',
      fixed: 'text',
      kind: 'text',
      severity: 'text',
      aliases: 'text',
      cvss: 'text',
      cwe: 'text',
      title: 'text',
      url: 'text',
      published_at: 'int',
      modified_at: 'int',
      withdrawn_at: 'int?',
    },
    ['package', 'id'],
  )
  await index(db, 'advisory', ['id'])
  await table('osv_record', {
    id: 'text!',
    text: 'text',
    feed: 'text',
    modified_at: 'int',
    withdrawn_at: 'int?',
  })
  await index(db, 'osv_record', ['modified_at'])
  await table('feed', {
    name: 'text!',
    taken_at: 'int',
    changed_at: 'int',
    records: 'int',
    faults: 'int',
    fault: 'text',
  })
  await table('advisory_wait', {
    id: 'text!',
    text: 'text',
    feed: 'text',
    why: 'text',
    at: 'int',
    state: 'text',
  })
  await table('bad_digest', { digest: 'text!', why: 'text' })
  for (const name of ['grandfathered', 'first_use'])
    await table(name, { package: 'text', version: 'text', at: 'int' }, ['package', 'version'])
}

async function reading(
  table: TableMaker,
  db: Kysely<unknown>,
  dialect: 'sqlite' | 'postgres',
): Promise<void> {
  await table('search_term', { term: 'text', package: 'text', weight: 'int' }, ['term', 'package'])
  await index(db, 'search_term', ['package'])
  await table(
    'document',
    {
      package: 'text',
      form: 'text',
      origin: 'text',
      revision: 'int',
      public_url: 'text',
      policy_version: 'int',
      valid_until: 'int?',
      etag: 'text',
      identity: 'bytes',
      gzip: 'bytes',
      brotli: 'bytes',
      zstd: 'bytes',
    },
    ['package', 'form'],
  )
  await table('webhook', {
    id: 'text!',
    begun_at: 'int',
    delivered_at: 'int?',
    failures: 'int',
    failed_at: 'int?',
    why: 'text',
  })
  await table('download', {
    day: 'int',
    package: 'text',
    version: 'text',
    account: 'text',
    token: 'text',
    address: 'text',
    client: 'text',
    count: 'int',
    first_at: 'int',
    last_at: 'int',
  })
  // Also what of a day still has a whole address.
  await index(db, 'download', ['day', 'address'])
  // In the order in which holders are listed: a page of a million is read from where it begins, and sums from this alone.
  await index(db, 'download', ['package', 'version', 'account', 'token', 'address', 'client', 'count'])
  // Who fetched what before that: an identity and a version, no address and no client.
  await table(
    'holder',
    {
      package: 'text',
      version: 'text',
      account: 'text',
      token: 'text',
      count: 'int',
      first_at: 'int',
      last_at: 'int',
    },
    ['package', 'version', 'account', 'token'],
  )
  await index(db, 'holder', ['last_at'])
  // What is about oneself.
  await index(db, 'download', ['account'])
  await index(db, 'holder', ['account'])
  await table('download_day', { package: 'text', version: 'text', day: 'int', count: 'int' }, [
    'package',
    'version',
    'day',
  ])
  const id =
    dialect === 'sqlite'
      ? 'integer primary key autoincrement'
      : 'bigint generated always as identity primary key'
  await sql`create table letter (id ${sql.raw(id)}, recipient text not null, subject text not null, body text not null,
    secret bigint not null, created_at bigint not null, sent_at bigint, attempts bigint not null, error text)`.execute(
    db,
  )
}

/** How people and registry reach each other. */
async function community(table: TableMaker, db: Kysely<unknown>): Promise<void> {
  await table(
    'policy_text',
    { page: 'text', version: 'int', text: 'text', words: 'text', author: 'text', at: 'int' },
    ['page', 'version'],
  )
  await table('review', {
    id: 'text!',
    date: 'text',
    scope: 'text',
    reviewer: 'text',
    findings: 'text',
    changed_at: 'int',
  })
  await table('announcement', { id: 'text!', title: 'text', lines: 'text', is_over: 'int', begun_at: 'int' })
  await table('name_transfer', {
    id: 'text!',
    package: 'text',
    asked_by: 'text',
    asked_at: 'int',
    reason: 'text',
    state: 'text',
    answer: 'text',
    answer_by: 'int',
    granted_by: 'text',
    effect_at: 'int?',
  })
  await index(db, 'name_transfer', ['package'])
  await index(db, 'name_transfer', ['state', 'asked_at'])
  await table('watch', { account: 'text', kind: 'text', subject: 'text', since: 'int' }, [
    'account',
    'kind',
    'subject',
  ])
  await index(db, 'watch', ['kind', 'subject'])
  await table('watcher', { account: 'text!', digest: 'text', told_at: 'int' })
  await table('hook', {
    id: 'text!',
    account: 'text',
    url: 'text',
    secret: 'text',
    created_at: 'int',
    failing_since: 'int?',
    is_dead: 'int',
  })
  await index(db, 'hook', ['account'])
  await table(
    'hook_delivery',
    { hook: 'text', position: 'int', state: 'text', attempts: 'int', at: 'int', why: 'text' },
    ['hook', 'position'],
  )
  await index(db, 'hook_delivery', ['state', 'at'])
  await table('watch_due', { account: 'text', position: 'int' }, ['account', 'position'])
}

function tableMaker(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): TableMaker {
  // Byte order in both databases: keyset pages and prefix search depend on it.
  const types: Record<string, ColumnDataType | RawBuilder<unknown>> =
    dialect === 'sqlite'
      ? { text: 'text', int: 'integer', bytes: 'blob' }
      : { text: sql`text collate "C"`, int: 'bigint', bytes: 'bytea' }
  return async (name, columns, primary) => {
    let builder = db.schema.createTable(name)
    for (const [column, spec] of Object.entries(columns)) {
      const type = types[spec.replace(/[?!]$/, '')]
      if (type === undefined) throw new Error(`column ${name}.${column} has no type`)
      builder = builder.addColumn(column, type, made => {
        const required = spec.endsWith('?') ? made : made.notNull()
        return spec.endsWith('!') ? required.primaryKey() : required
      })
    }
    if (primary !== undefined) builder = builder.addPrimaryKeyConstraint(`${name}_pk`, [...primary] as never)
    await builder.execute()
  }
}

async function index(
  db: Kysely<unknown>,
  table: string,
  columns: readonly string[],
  unique = false,
): Promise<void> {
  const builder = db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns([...columns])
  await (unique ? builder.unique() : builder).execute()
}
