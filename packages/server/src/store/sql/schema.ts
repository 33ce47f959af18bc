// SPDX-License-Identifier: Apache-2.0
/** Tables as both databases have them. Times are milliseconds since the epoch, flags 0 or 1, lists JSON text. */
export interface Schema {
  instance: { key: string; value: string }
  event_counter: { one: number; position: number }
  event: {
    position: number
    id: string
    at: number
    type: string
    actor_kind: string
    actor_id: string
    pkg: string | null
    ver: string | null
    seq: number | null
    prev: string | null
    leaf: string | null
    leaf_hash: string | null
    detail: string
  }
  leaf_document: { digest: string; text: string }
  package_chain: { pkg: string; seq: number; leaf_hash: string }
  log_leaf: { idx: number; position: number }
  log_head: { one: number; size: number; root: Uint8Array; hashes: Uint8Array; position: number }
  log_published: { one: number; size: number; root: Uint8Array; note: string; at: number }
  cursor: { consumer: string; position: number; owner: string; until: number; fence: number }
  account: {
    id: string
    login: string
    login_key: string
    email: string
    email_key: string
    email_verified_at: number | null
    password_hash: string | null
    password_leaked_at: number | null
    roles: string
    tfa: string
    totp_sealed: string | null
    totp_step: number
    /** Kept beside the passkeys, in the same transaction: it is asked with every request. */
    has_passkey: number
    profile: string
    created_at: number
    disabled_at: number | null
  }
  recovery_code: { account: string; hash: string }
  passkey: {
    id: string
    account: string
    name: string
    rp_id: string
    public_key: string
    counter: number
    transports: string
    backed_up: number
    created_at: number
    last_used_at: number | null
  }
  used_challenge: { hash: string; expires_at: number }
  recovery: {
    id: string
    hash: string
    cancel_hash: string
    account: string
    way: string
    state: string
    email: string
    drops_factors: number
    opened_by: string
    began_at: number
    ready_at: number
    expires_at: number
  }
  address: {
    account: string
    email: string
    email_key: string
    domain: string
    verified_at: number | null
    created_at: number
  }
  mail_domain: { domain: string; checked_at: number; takes_mail: number; registered_at: number | null }
  session: {
    hash: string
    id: string
    account: string
    created_at: number
    expires_at: number
    last_seen_at: number
    fresh_until: number
    by_passkey: number
    address: string
    client: string
  }
  token: {
    id: string
    hash: string
    holder: string
    account: string
    name: string
    description: string
    origin: string
    hint: string
    limits: string
    created_at: number
    expires_at: number | null
    last_used_at: number | null
    revoked_at: number | null
  }
  token_notice: { token: string; days: number }
  trusted_publisher: {
    id: string
    package: string
    provider: string
    issuer: string
    rule: string
    permissions: string
    created_at: number
    created_by: string
    starts_at: number
    pending_until: number | null
    last_used_at: number | null
    removed_at: number | null
  }
  trusted_reader: {
    id: string
    org: string
    provider: string
    issuer: string
    rule: string
    created_at: number
    created_by: string
    removed_at: number | null
  }
  robot: {
    id: string
    org: string
    name: string
    created_at: number
    created_by: string
    removed_at: number | null
  }
  used_nonce: { issuer: string; nonce: string; until: number }
  job: { token: string; publisher: string; facts: string; at: number }
  invitation: { hash: string; email: string; roles: string; expires_at: number; used_at: number | null }
  approval: {
    hash: string
    done_hash: string
    id: string
    kind: string
    operation: string
    subject: string
    account: string | null
    state: string
    token_sealed: string | null
    created_at: number
    expires_at: number
    address: string
    client: string
  }
  failure: { id: string; counter: string; at: number }
  /** Names that somebody asked for, as a user's or an organisation's: what two who want one at once wait at. */
  scope_name: { name: string }
  org: { name: string; created_at: number }
  org_member: { org: string; account: string; role: string }
  team: { org: string; name: string; id: string }
  team_member: { org: string; team: string; account: string }
  team_grant: { org: string; team: string; package: string; permission: string }
  hosted: { pattern: string; created_at: number }
  critical_package: { package: string; source: string; why: string; since: number; binds_at: number }
  package: {
    name: string
    confusable: string
    scope: string
    access: string
    description: string
    keywords: string
    readme: string
    created_at: number
    modified_at: number
    revision: number
    requires_tfa: number
    approvals: number
    approvals_before: number
    approvals_from: number
    removed_at: number | null
    /** What `latest` shows, null while nothing may be found. */
    latest: string | null
    downloads: number
  }
  version: {
    package: string
    version: string
    ordinal: number
    status: string
    reason: string
    deprecated: string
    digest: string
    shasum: string
    size_bytes: number
    unpacked_size_bytes: number
    file_count: number
    manifest: string
    short_manifest: string
    signatures: string
    has_install_script: number
    /** Names, a space between. */
    dependencies: string
    /** 1 once its publication is under a published checkpoint. */
    logged: number
    published_at: number
    publisher: string
    token: string
    approver: string
    removed_at: number | null
  }
  stage: {
    id: string
    package: string
    version: string
    tag: string
    manifest: string
    readme: string
    digest: string
    shasum: string
    size_bytes: number
    staged_at: number
    expires_at: number
    stager: string
    stager_kind: string
    token: string
    proof: string
  }
  stage_approval: { stage: string; account: string; at: number }
  policy: { version: number; rules: string; enforced_since: string; at: number }
  waiver: {
    id: string
    package: string
    version: string
    rules: string
    grounds: string
    reason: string
    state: string
    asked_by: string
    asked_at: number
    decided_by: string
    decided_at: number | null
    ends_at: number | null
    notified_at: number | null
  }
  advisory: {
    package: string
    id: string
    range: string
    fixed: string
    kind: string
    severity: string
    aliases: string
    cvss: string
    cwe: string
    title: string
    url: string
    published_at: number
    modified_at: number
    withdrawn_at: number | null
  }
  osv_record: { id: string; text: string; feed: string; modified_at: number; withdrawn_at: number | null }
  feed: {
    name: string
    taken_at: number
    changed_at: number
    records: number
    faults: number
    fault: string
  }
  /** Records of feeds that a person has to look at first, and those that a person refused. */
  advisory_wait: { id: string; text: string; feed: string; why: string; at: number; state: string }
  bad_digest: { digest: string; why: string }
  /** Versions that a lock file named before rules came. */
  grandfathered: { package: string; version: string; at: number }
  /** When a version was first served. */
  first_use: { package: string; version: string; at: number }
  dependency: { package: string; dependency: string }
  dist_tag: { package: string; tag: string; version: string }
  package_role: { package: string; account: string; role: string }
  star: { package: string; account: string }
  search_term: { term: string; package: string; weight: number }
  /** What is often written lies apart from the manifests, which are large. */
  mirror: {
    name: string
    origin: string
    revision: number
    etag: string
    last_modified: string
    checked_at: number
    read_whole_at: number
    changed_at: number
    used_at: number
    is_gone: number
    description: string
    created_at: number
    modified_at: number
    tags: string
    left_out: string
    facts: Uint8Array
  }
  /** What a mirror is found by, of its name alone. */
  mirror_term: { term: string; package: string; weight: number }
  mirror_source: { name: string; source: Uint8Array }
  mirror_signature: { name: string; key_id: string; signatures: string }
  ingested: {
    package: string
    version: string
    origin: string
    digest: string
    shasum: string
    size_bytes: number
    has_install_script: number
    published_at: number
    ingested_at: number
    last_used_at: number
    /** When a quota took the bytes away; null while they are here. */
    dropped_at: number | null
    provenance: string
    /** When somebody last looked for what it rests on; 0 for never. */
    provenance_at: number
  }
  /** Of versions that were published here. */
  provenance: {
    package: string
    version: string
    bundle: Uint8Array
    sha256: string
    predicate_type: string
    build: string
    root: string
    is_public: number
    signed_at: number
    signer: string
    verified_at: number
  }
  /** Public repositories that versions were built from. */
  assessment: {
    at: number
    release: string
    passed: number
    text: string
    key_id: string
    signature: string
  }
  source_link: { repository: string; checked_at: number; gone_since: number | null }
  /** What a package's next version may not fall below; none is no demand. */
  package_trust: { package: string; level: string; sources: string; lowering: string }
  attestation: { package: string; version: string; text: Uint8Array; finding: string; checked_at: number }
  upstream_measure: { package: string; version: string; status: string; reason: string; at: number }
  drill: {
    id: string
    playbook: string
    path: string
    packages: number
    state: string
    started_by: string
    started_at: number
    attack_at: number | null
    detected_at: number | null
    contained_at: number | null
    notified_at: number | null
    ended_at: number | null
    report: string
  }
  incident_case: {
    id: string
    kind: string
    title: string
    state: string
    severity: string
    opened_by: string
    opened_at: number
    lead: string
    taken_at: number | null
    revision: number
  }
  /** The version is empty for a package as a whole. */
  incident_subject: { incident: string; package: string; version: string }
  /** With the kind `turn`, the row that publishes of one identity wait for. */
  habit: { actor: string; kind: string; value: string; first_at: number; last_at: number }
  screening: {
    package: string
    version: string
    origin: string
    digest: string
    state: string
    score: number
    rules: string
    findings: string
    fault: string
    may_hold: number
    screened_at: number
    hold: string
    held_at: number | null
    reminders: number
    decided_by: string
    decided_at: number | null
    words: string
  }
  /** Lock files that were submitted, one of a branch; their entries; and of what their owners were told. */
  project_lock: {
    id: string
    owner: string
    project: string
    branch: string
    manager: string
    digest: string
    entries: number
    submitted_by: string
    submitted_at: number
  }
  project_entry: {
    lock: string
    package: string
    version: string
    direct: number
    scope: string
    own: number | null
    path: string
  }
  project_told: { owner: string; project: string; about: string; at: number }
  incident_role: { incident: string; role: string; person: string }
  incident_task: {
    incident: string
    ordinal: number
    words: string
    playbook: string
    done_by: string
    done_at: number | null
  }
  incident_indicator: { incident: string; kind: string; value: string; author: string; at: number }
  report: {
    id: string
    package: string
    version: string
    login: string
    kind: string
    words: string
    evidence: string
    reporter: string
    mailbox: string
    incident: string
    state: string
    secret_hash: string
    made_at: number
  }
  measure: {
    id: string
    kind: string
    subject: string
    reason: string
    words: string
    actor: string
    incident: string
    made_at: number
    lapses_at: number | null
    confirmed_by: string
    undo_asked_by: string
    undone_by: string
    undone_at: number | null
    wanted: number
    finished_at: number | null
  }
  blast_letter: { incident: string; account: string; sent_at: number; done_at: number | null }
  /** `was` is `none` for an upstream's version about which nothing was decided; `why` is its reason then. */
  measure_version: { measure: string; package: string; version: string; was: string; why: string }
  reporter_mark: { reporter: string; marked: number }
  incident_note: { incident: string; ordinal: number; at: number; author: string; words: string }
  document: {
    package: string
    form: string
    origin: string
    revision: number
    public_url: string
    policy_version: number
    valid_until: number | null
    etag: string
    identity: Uint8Array
    gzip: Uint8Array
    brotli: Uint8Array
    zstd: Uint8Array
  }
  download: {
    day: number
    package: string
    version: string
    account: string
    token: string
    address: string
    client: string
    count: number
    first_at: number
    last_at: number
  }
  /** Who fetched a version before the records that are kept begin. */
  holder: {
    package: string
    version: string
    account: string
    token: string
    count: number
    first_at: number
    last_at: number
  }
  download_day: { package: string; version: string; day: number; count: number }
  /** The lines are JSON text. */
  announcement: { id: string; title: string; lines: string; is_over: number; begun_at: number }
  name_transfer: {
    id: string
    package: string
    asked_by: string
    asked_at: number
    reason: string
    state: string
    answer: string
    answer_by: number
    /** Ids of accounts, with blanks between. */
    granted_by: string
    effect_at: number | null
  }
  watch: { account: string; kind: string; subject: string; since: number }
  watcher: { account: string; digest: string; told_at: number }
  hook: {
    id: string
    account: string
    url: string
    secret: string
    created_at: number
    failing_since: number | null
    is_dead: number
  }
  hook_delivery: {
    hook: string
    position: number
    state: string
    attempts: number
    at: number
    why: string
  }
  /** What waits to be told, by the event's position. */
  watch_due: { account: string; position: number }
  policy_text: { page: string; version: number; text: string; words: string; author: string; at: number }
  /** The findings are JSON text. */
  review: {
    id: string
    date: string
    scope: string
    reviewer: string
    findings: string
    changed_at: number
  }
  webhook: {
    id: string
    begun_at: number
    delivered_at: number | null
    failures: number
    failed_at: number | null
    why: string
  }
  letter: {
    id: number
    recipient: string
    subject: string
    body: string
    secret: number
    created_at: number
    sent_at: number | null
    attempts: number
    error: string | null
  }
}
