// SPDX-License-Identifier: Apache-2.0
/**
 * What the inside asks of the outside. Ports travel as one plain record, first argument of every flow.
 * Each port's comment is its contract: what is durable, what is atomic, what may be called twice.
 */

import type { Digest, GateRows, PackageName, ProblemCode, Version } from '@holdfast/core'
import type {
  Advisory,
  AdvisoryRows,
  AdvisoryWrites,
  BadDigest,
  CatalogReads,
  CatalogWrites,
  Ingested,
  LeftOut,
  Likeness,
  Mirror,
  NameRoute,
  OriginName,
  Policy,
  ProjectReads,
  ProjectWrites,
  ScreeningReads,
  ScreeningWrites,
  StageReads,
  StageWrites,
  UpstreamMeasure,
  UpstreamVersion,
  Waiver,
} from './catalog/index.ts'
import type {
  AssessmentReads,
  AssessmentWrites,
  CommunityReads,
  CommunityWrites,
  HookRows,
  WatchRows,
} from './community/index.ts'
import type { Config } from './config.ts'
import type { DomainFacts, Grant, IdentityReads, IdentityUpkeep, IdentityWrites } from './identity/index.ts'
import type {
  BlastReads,
  BlastWrites,
  CaseReads,
  CaseWrites,
  DrillReads,
  DrillWrites,
  MeasureReads,
  MeasureWrites,
  ReportReads,
  ReportWrites,
} from './incident/index.ts'
import type {
  BuildFacts,
  BundleFacts,
  EventQuery,
  NewEvent,
  PackageTrust,
  ProvenanceFinding,
  StoredEvent,
  TrustLevel,
} from './integrity/index.ts'

/**
 * Content-addressed bytes, named by their SHA-512. Not trusted: whoever owns the store could change bytes,
 * so digests are checked when bytes come in, when they fill a cache, and by the scrubber.
 */
export interface Blobs {
  /** Opens room for bytes that have no name yet. Nothing is visible until `keep`. */
  begin(): Promise<BlobWriter>
  /** A reader over stored bytes, or undefined when there are none. The caller closes it. */
  open(digest: Digest): Promise<BlobReader | undefined>
  /** Size in bytes, or undefined when there are none. */
  size(digest: Digest): Promise<number | undefined>
  /** Every digest in the store, in no order. */
  list(): AsyncIterable<Digest>
  /** Removes bytes; removing what is not there is fine. */
  remove(digest: Digest): Promise<void>
  /**
   * Removes bytes that were last kept before this moment (milliseconds since the epoch), and says if it did. Bytes that
   * somebody keeps again while this runs are there afterwards.
   */
  removeKeptBefore(digest: Digest, at: number): Promise<boolean>
}

/** Bytes on their way in. A crash leaves a temporary file that the store removes when it opens. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>
  /** Digests over everything written so far; call when done writing. */
  digests(): WrittenBytes
  /** Reads back what was written, before it is kept or discarded. */
  read(): AsyncIterable<Uint8Array>
  /**
   * Fills `into` with the written bytes from `position`, all of which must be there; also while others are being written.
   * What is asked before `keep` or `discard` is answered.
   */
  readAt(position: number, into: Uint8Array): Promise<Uint8Array>
  /** Durable under its digest when this resolves (temp, fsync, rename, fsync folder). Twice the same bytes is fine. */
  keep(): Promise<WrittenBytes>
  /** Forgets the bytes. Safe after `keep` and safe to repeat. */
  discard(): Promise<void>
}

/** What was computed over bytes here, never what a client claimed. */
export interface WrittenBytes {
  readonly digest: Digest
  /** SHA-1, 40 hex characters: old clients pin it. */
  readonly shasum: string
  readonly sizeBytes: number
}

/** An open blob. */
export interface BlobReader {
  readonly sizeBytes: number
  /** Fills `into` with the bytes from `position`; gives the part that was filled, shorter only where the blob ends. */
  read(position: number, into: Uint8Array): Promise<Uint8Array>
  /**
   * The same where no disk or network has to be waited for, else undefined. A copy within memory costs less than a turn through
   * another thread.
   */
  readNow?(position: number, into: Uint8Array): Uint8Array | undefined
  close(): Promise<void>
}

/** Signs with the instance's npm key (ECDSA P-256). The key itself never leaves the port. */
export interface Signer {
  /** `SHA256:` + unpadded base64 of the OpenSSH fingerprint. */
  readonly keyId: string
  /** Public keys as served by `/-/npm/v1/keys`, oldest first. */
  readonly publicKeys: readonly PublicKey[]
  /** Base64 of the DER signature over `text` in UTF-8, SHA-256. */
  sign(text: string): string
  /** The same over each of many texts, in their order: a signature takes a tenth of a millisecond, and here nobody waits. */
  signAll(texts: readonly string[]): Promise<readonly string[]>
  /** Takes the keys as they are in the folder now: another process may have rotated them. */
  reload(): Promise<void>
  /**
   * Signs with a new key from now on, durable when this resolves; the former one vouches only for what was published before
   * `expiresAt`, in milliseconds since the epoch. A crash leaves the former one in use, or the new one.
   */
  rotate(expiresAt: number): Promise<void>
}

/** Keeps secrets that lie in the database unreadable without the instance's key. The key itself never leaves the port. */
export interface Sealer {
  /** The text encrypted and authenticated; the same text gives another result each time. */
  seal(text: string): string
  /** The text again, or `seal-broken` when it was changed, or sealed by another instance's key. */
  open(sealed: string): string
}

/** One public signing key in the shape npm serves. */
export interface PublicKey {
  readonly keyid: string
  readonly keytype: string
  readonly scheme: string
  /** Base64 of the DER SubjectPublicKeyInfo. */
  readonly key: string
  /** ISO 8601, or null while in use. */
  readonly expires: string | null
}

/** Milliseconds since the epoch. */
export type Clock = () => number

/** Everything a flow may ask for. */
export interface Ports {
  readonly config: Config
  readonly store: Store
  readonly blobs: Blobs
  readonly signer: Signer
  readonly sealer: Sealer
  readonly documents: Documents
  /** Registries that names may come from, by the names of their origins; none where this registry stands alone. */
  readonly upstreams: ReadonlyMap<OriginName, Upstream>
  readonly mirrors: Mirrors
  readonly intake: Intake
  /** Which names come from which origin, where they are not hosted here. */
  readonly routes: readonly NameRoute[]
  /** What tells which names upstreams have; none where nobody watches. */
  readonly nameSources: readonly NameSource[]
  /** Where advisories come from by the clock. */
  readonly advisorySources: readonly AdvisorySource[]
  /** Well-used names, where the operator gives a list of them. */
  readonly popular: ReadonlySet<string> | undefined
  readonly lookAlikes: LookAlikes
  readonly mail: Mail
  readonly outbound: Outbound
  readonly ownDoor: OwnDoor
  /** Undefined where no registry of domains is configured. */
  readonly domains: DomainLookup | undefined
  /** Undefined where no programme reports leaked tokens. */
  readonly reportKeys: ReportKeys | undefined
  readonly downloads: DownloadRecorder
  readonly trail: Trail
  readonly log: Log
  readonly logSigner: Pick<LogSigner, 'rotate'>
  readonly witnesses: Witnesses
  /** Where events go to be watched, when the operator names such a place. */
  readonly auditSink: AuditSink | undefined
  readonly clock: Clock
}

/** Names that others are likely taken for: the well-used ones of npm, and those hosted here by any process. */
export interface LookAlikes {
  /** What a name of this age is likely taken for. */
  find(name: PackageName, ageDays: number): Promise<Likeness | undefined>
}

/**
 * The one way out to other people's services. Private addresses are refused unless the operator named them, and so is
 * plain http. Throws `remote-private` or `remote-failed`; an answer of any status is an answer.
 */
export interface Outbound {
  ask(request: OutboundRequest): Promise<OutboundAnswer>
  /** The same for what is too large for memory: read it to its end, or stop and nothing more comes. */
  open(request: OutboundRequest): Promise<OutboundStream>
}

/**
 * One upstream registry. Everything it says is hostile until checked here: names, addresses, sizes, times, signatures.
 * Never asked for a name that is hosted here or routed elsewhere. Throws `upstream-failed` where it is down, slow, or
 * answers what cannot be true; after several failures in a row it throws at once for a while.
 */
export interface Upstream {
  readonly name: OriginName
  /** Without a slash at the end; for people and for recognising addresses below it. */
  readonly url: string
  /**
   * What it says of a package now, compared with what it said before: told whole where that has no validators. Large documents
   * are read in a thread.
   */
  readPackument(name: PackageName, before: Mirror | undefined, now: number): Promise<UpstreamAnswer>
  /**
   * Looks at the upstream's signature of one version that is still `unverified`: a check takes a tenth of a millisecond, so
   * only the newest versions of a packument are checked when it is read, and the others before their bytes go out.
   */
  checkSignature(name: PackageName, version: UpstreamVersion): Promise<UpstreamVersion['signature']>
  /** The bytes at a tarball's address, as they flow; nothing of them is checked yet. */
  openTarball(address: string): Promise<UpstreamBytes>
  /** The attestations of a version as the upstream serves them (JSON text), or undefined when it has none. */
  readAttestations(address: string): Promise<string | undefined>
  health(): UpstreamHealth
}

/** Finds an upstream by its origin. */
export type FindsUpstream = Pick<Ports['upstreams'], 'get'>

/**
 * Upstream packages as this instance knows them, asked for anew when that was long ago. A name is asked for once at a time,
 * whoever waits for it.
 */
export interface Mirrors {
  /**
   * At once where the last answer is less than a day old, which is then renewed behind it; else after asking, or as it was
   * when the upstream does not answer. Undefined where the origin knows no such package; throws `upstream-failed` where it
   * cannot say and nothing is kept.
   */
  get(name: PackageName, origin: OriginName): Promise<KnownMirror | undefined>
  /** Asks the upstream now, however young the last answer is. */
  refresh(name: PackageName, origin: OriginName): Promise<KnownMirror | undefined>
}

/** A mirror, and how far it can be relied on. */
export interface KnownMirror {
  readonly mirror: Mirror
  /** Milliseconds since the epoch until which nobody need be asked; not after now when it should be. */
  readonly freshUntil: number
  /** Empty while it is fresh; `not-revalidated` when the upstream was asked and did not answer. */
  readonly warning: '' | 'stale' | 'not-revalidated'
}

/** Brings the bytes of upstream versions in: each once at a time, whoever waits for it, and whoever of them goes away. */
export interface Intake {
  /** Begins, or joins what is under way. The gate has let this version out. */
  bring(name: PackageName, origin: OriginName, version: UpstreamVersion): Arrival
  /** Waits until what went out whole is recorded too, for a process that ends. What is still coming in comes again another time. */
  finish(): Promise<void>
}

/** The bytes of one version on their way in. They flow in as fast as the upstream gives them, however slowly anybody reads. */
export interface Arrival {
  /** The size that the upstream announces, or undefined, once it begins to answer. Throws what it throws. */
  readonly opened: Promise<number | undefined>
  /** When they are kept, looked into and recorded. Throws `upstream-mismatch` when they are not what was promised. */
  readonly done: Promise<Ingested>
  /**
   * The bytes as they come, from the beginning. Weaker than bytes checked before: the last of them come only when the
   * digest over all of them held, and a reader who gets no end must throw away what it has.
   */
  follow(): AsyncIterable<Uint8Array>
}

/** What an upstream answered about a package. */
export type UpstreamAnswer =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'told'
      readonly mirror: UpstreamContent
      readonly source: Uint8Array
      /** What of it cannot be trusted, and so is not in `mirror`: the rest of the package is none the worse. */
      readonly leftOut: readonly LeftOut[]
    }

/** A mirror without what only its keeper knows. */
export type UpstreamContent = Omit<
  Mirror,
  'revision' | 'checkedAt' | 'readWholeAt' | 'changedAt' | 'usedAt' | 'isGone' | 'leftOut'
>

/** A body as it flows; leaving the loop early closes the connection. */
export interface UpstreamBytes {
  /** What the upstream announces, which may be a lie; undefined when it does not say. */
  readonly sizeBytes: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

/** How an upstream has been doing, for pages, `doctor` and metrics. */
export interface UpstreamHealth {
  readonly state: 'unknown' | 'up' | 'failing' | 'open'
  readonly lastSuccessAt: number | null
  readonly lastFailureAt: number | null
  /** Of the last failure, in words. */
  readonly why: string
}

/** Public keys (PEM) of those who may report leaked tokens, by the id that a report names. Throws when they cannot be read. */
export interface ReportKeys {
  find(id: string): Promise<string | undefined>
}

/** What the network says of a domain. Never throws: what nobody can say is undefined. */
export interface DomainLookup {
  find(domain: string): Promise<DomainFacts>
}

/**
 * This very instance as strangers meet it: by its own socket, with what they bring, and no other way in. Throws when nobody
 * answers, as where no server runs on the folder.
 */
export interface OwnDoor {
  /** Without a slash at the end. */
  readonly url: string
  ask(request: DoorRequest): Promise<{ readonly status: number; readonly body: string }>
}

/** A request of somebody who comes with a token, or with none. */
export interface DoorRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  readonly token?: string
  /** JSON. */
  readonly body?: string
}

/** One request to somewhere else. */
export interface OutboundRequest {
  /** An http or https address without user name and password. */
  readonly url: string
  /** GET when not given. */
  readonly method?: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For the whole of it, redirects included; 10 s when not given. */
  readonly deadlineMs?: number
  /** More than this is an error and not a short answer; 64 KiB when not given. */
  readonly maxBytes?: number
  /** Redirects that a GET may follow, none when not given; to another host no header goes along that could be a credential. */
  readonly redirects?: number
}

/** What came back, read whole. */
export interface OutboundAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

/** What comes back, as it flows; reading throws `remote-failed` where it is longer or slower than allowed. */
export interface OutboundStream {
  readonly status: number
  readonly pieces: AsyncIterable<Uint8Array>
}

/** Somewhere that advisories come from by the clock: a mirror of an OSV dump, or a file or folder of this machine. */
export interface AdvisorySource {
  /** Of the address: under another one all of it is read again. */
  readonly id: string
  readonly name: string
  /** For people: a host or a path. */
  readonly label: string
  /**
   * What changed there after a position (0 for all of it), the position behind each part: it counts once the part is taken in.
   * Throws a problem where it cannot be read.
   */
  read(after: number): AsyncGenerator<AdvisoryPart>
}

/** Records as they stand somewhere: one in JSON, or a zip of them. */
export interface AdvisoryPart {
  readonly from: string
  readonly form: 'json' | 'lines' | 'zip'
  readonly pieces: AsyncIterable<Uint8Array>
  readonly position: number
}

/**
 * The state of the instance. Reads see what is committed. There is one write door: `commit` runs `work` in one
 * durable transaction and appends the event or events in the same transaction, so neither exists without the other.
 * `work` awaits nothing but `tx`, and may run more than once when the database asks for a retry. What only becomes known
 * inside is told with `tx.record`; a commit that finds nothing to change, and so has no event, leaves nothing behind.
 */
export interface Store {
  readonly catalog: CatalogReads
  readonly identity: IdentityReads
  readonly upkeep: IdentityUpkeep
  readonly mirrors: MirrorRows
  readonly provenance: ProvenanceRows
  readonly trust: TrustReads
  readonly sourceLinks: SourceLinks
  readonly assessments: AssessmentReads
  readonly stages: StageReads
  readonly habits: HabitReads
  readonly projects: ProjectReads
  readonly incident: CaseReads
  readonly drills: DrillReads
  readonly blast: BlastReads
  readonly community: CommunityReads
  readonly reports: ReportReads
  readonly watches: WatchRows
  readonly hooks: HookRows
  readonly measures: MeasureReads
  readonly advisories: AdvisoryRows
  readonly screening: ScreeningReads
  readonly policy: PolicyReads
  readonly documents: DocumentRows
  readonly leafDocuments: LeafDocumentReads
  readonly gate: GateReads
  readonly mail: MailRows
  readonly webhooks: WebhookRows
  readonly downloads: DownloadRows
  readonly events: EventFeed
  readonly log: LogRows
  readonly leases: Leases
  readonly instance: InstanceFacts
  commit<T>(grant: Grant, event: NewEvent | readonly NewEvent[], work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** What never changes after the first start. */
export interface InstanceFacts {
  /** Eight characters a–z and 0–9, part of every token. */
  readonly id: string
  /** Identity of this instance's transparency log, fixed for ever. */
  readonly logOrigin: string
}

/** What an identity published with, and from where. */
export interface Habit {
  /** A token by its id; a network as /24, or /48 of IPv6. */
  readonly kind: 'token' | 'network'
  readonly value: string
  readonly firstAt: number
  readonly lastAt: number
}

/** A version that an identity published. */
export interface PastPublish {
  /** Of its event. */
  readonly position: number
  readonly at: number
  readonly name: PackageName
  readonly version: Version
  /** What it brought that the version before did not have. */
  readonly news: readonly string[]
}

export interface HabitReads {
  listHabits(actorId: string): Promise<readonly Habit[]>
  /** What an identity published later than a position, the newest first. */
  listPublished(actorId: string, after: number): Promise<readonly PastPublish[]>
}

export interface HabitWrites {
  /** Others who publish as the same identity wait from here on, in every process. */
  holdActor(actorId: string): Promise<void>
  noteHabit(actorId: string, kind: Habit['kind'], value: string, at: number): Promise<void>
  forgetHabits(actorId: string): Promise<void>
}

/** The write side of the store, valid only inside `commit`. */
export interface Tx {
  readonly catalog: CatalogReads & CatalogWrites
  readonly identity: IdentityReads & IdentityWrites
  readonly upstream: UpstreamWrites
  readonly trust: TrustReads & TrustWrites
  readonly assessments: AssessmentReads & AssessmentWrites
  readonly stages: StageReads & StageWrites
  readonly incident: CaseReads & CaseWrites
  readonly drills: DrillReads & DrillWrites
  readonly blast: BlastWrites
  readonly community: CommunityReads & CommunityWrites
  readonly reports: ReportReads & ReportWrites
  readonly measures: MeasureReads & MeasureWrites
  readonly advisories: Pick<AdvisoryRows, 'listRecords'> & AdvisoryWrites
  readonly screening: ScreeningReads & ScreeningWrites
  readonly habits: HabitReads & HabitWrites
  readonly projects: ProjectReads & ProjectWrites
  readonly policy: PolicyReads & PolicyWrites
  readonly leafDocuments: LeafDocumentReads & LeafDocumentWrites
  readonly mail: MailWrites
  readonly log: LogWrites
  /** One more event of this commit, after those it was begun with. */
  record(event: NewEvent): void
}

/**
 * What upstreams said, kept. Not events: it could be asked for again. `source` holds the manifests, as `SourceWriter` packs them: a
 * line of JSON for the package (`description`, `keywords`, `readme`, `maintainers`, `homepage` …), then one a version, in the
 * order of `versions`: its manifest without `dist`, `deprecated` and `_npmUser`.
 */
export interface MirrorRows {
  find(name: PackageName): Promise<Mirror | undefined>
  findSource(name: PackageName): Promise<Uint8Array | undefined>
  /** How many bytes its facts take as they are stored, without reading them; 0 where there are none. */
  weigh(name: PackageName): Promise<number>
  /** Replaces what is kept unless that is of this revision or newer; says if it did. */
  save(mirror: Mirror, source: Uint8Array): Promise<boolean>
  /** What was found of the upstream's signature on one version, unless it says otherwise by now; moves the revision. */
  noteSignature(
    name: PackageName,
    checked: Pick<UpstreamVersion, 'version' | 'digest' | 'upstreamSignatures'>,
    found: UpstreamVersion['signature'],
  ): Promise<void>
  /** The upstream said the same again. */
  confirm(name: PackageName, checkedAt: number): Promise<void>
  /** It was read whole, and is the same. */
  confirmWhole(name: PackageName, readWholeAt: number): Promise<void>
  markUsed(name: PackageName, at: number): Promise<void>
  /** What is kept of these may be old: the upstream is to be asked before anything else, for all of it. */
  markDue(names: readonly PackageName[]): Promise<void>
  /** Those of an origin that were not asked about since a time and were used since another, the most recently used first. */
  listStale(
    origin: OriginName,
    checkedBefore: number,
    usedSince: number,
    limit: number,
  ): Promise<readonly PackageName[]>
  /** Those of which versions are left out, in the order of names. */
  listDoubted(limit: number): Promise<readonly Pick<Mirror, 'name' | 'origin' | 'leftOut'>[]>
  /** Those of an origin that were not asked about since a time, the longest first. */
  listUnasked(origin: OriginName, checkedBefore: number, limit: number): Promise<readonly PackageName[]>
  /** Those of one origin or of all that changed since a time, in the order of names, after one of them. */
  listChanged(
    origin: OriginName | undefined,
    changedSince: number,
    after: string,
    limit: number,
  ): Promise<readonly PackageName[]>
  /** Those of these names of which something is kept. */
  listKnown(names: readonly PackageName[]): Promise<ReadonlySet<PackageName>>
  /**
   * Those whose name or a part of it (after the scope, `-` or `.`) begins with every word, best first, and how many there are
   * in all; without words all of them. Not those that are hosted here by now or gone upstream.
   */
  search(
    text: string,
    offset: number,
    limit: number,
  ): Promise<{ total: number; found: readonly MirrorSummary[] }>
  /** Those whose name begins so, in the order of names, a page at a time. */
  list(beginning: string, after: string, limit: number): Promise<readonly CachedPackage[]>
  /** How many names begin so. */
  count(beginning: string): Promise<number>
  findIngested(name: PackageName, version: Version): Promise<Ingested | undefined>
  listIngested(name: PackageName): Promise<readonly Ingested[]>
  /** Those of these of which anything came in. */
  filterIngested(names: readonly PackageName[]): Promise<readonly PackageName[]>
  listMeasures(name: PackageName): Promise<readonly UpstreamMeasure[]>
  /** Size of all bytes of upstream versions that are kept here. */
  sumKeptBytes(): Promise<number>
  /**
   * Kept versions that nothing here holds fast, the least recently used first, after one of them: no measure, no lock
   * file that names them, no other package with the same bytes.
   */
  listLeastUsed(after: Ingested | undefined, limit: number): Promise<readonly Ingested[]>
  /** The bytes are no longer here; which they were stays known for ever. */
  noteDropped(name: PackageName, version: Version, at: number): Promise<void>
  /** What is kept of each origin. */
  summarise(): Promise<readonly OriginSummary[]>
  /** Our signatures over versions of a package by one of our keys, in base64, by what they are over; they could be made again. */
  findSignatures(name: PackageName, keyId: string): Promise<OwnSignatures>
  addSignatures(name: PackageName, keyId: string, made: OwnSignatures): Promise<void>
}

/** What upstreams attested of versions whose bytes came in. Not events: it could be asked for again. */
export interface ProvenanceRows {
  find(name: PackageName, version: Version): Promise<KeptAttestations | undefined>
  /** Versions in one of these states that nobody looked at since a time, the longest first. */
  listDue(
    states: readonly Ingested['provenance'][],
    lookedBefore: number,
    limit: number,
  ): Promise<readonly (Pick<Ingested, 'version' | 'origin' | 'digest'> & { readonly name: PackageName })[]>
  /** Somebody looks now: it is not due again at once. */
  markLooked(name: PackageName, version: Version, at: number): Promise<void>
  /** Keeps them, and the verdict with the version. What is broken is told by an event: `UpstreamWrites` notes it. */
  note(name: PackageName, version: Version, kept: KeptAttestations): Promise<void>
}

/** Attestations of one version. */
export interface KeptAttestations {
  /** JSON text as the upstream served it. */
  readonly text: string
  readonly finding: ProvenanceFinding
  readonly checkedAt: number
}

/** Where versions that were published here were built, and what their packages may not fall below. */
export interface TrustReads {
  findProvenance(name: PackageName, version: Version): Promise<KeptProvenance | undefined>
  /** Undefined where nothing was proved yet. */
  findTrust(name: PackageName): Promise<PackageTrust | undefined>
  /** Where its versions were built, of those that proved it. */
  listBuilds(name: PackageName): Promise<readonly BuildFacts[]>
  /** What each version showed, in order of publication. */
  listShown(
    name: PackageName,
  ): Promise<readonly { readonly version: Version; readonly level: Exclude<TrustLevel, 'source'> }[]>
}

/** Whether the public repositories that versions were built from are still there. Not events: they could be asked again. */
export interface SourceLinks {
  /** Those that nobody asked since a time, the longest first. */
  listDue(askedBefore: number, limit: number): Promise<readonly SourceLink[]>
  find(repository: string): Promise<SourceLink | undefined>
  note(link: SourceLink): Promise<void>
}

/** A public repository that something was built from. */
export interface SourceLink {
  readonly repository: string
  /** When it was last asked, or said in a build. */
  readonly checkedAt: number
  /** Since when it is not there; null while it is. */
  readonly goneSince: number | null
}

export interface TrustWrites {
  /** Throws `provenance-refused` where the same certificate and signature are kept already. */
  addProvenance(name: PackageName, version: Version, kept: KeptProvenance): Promise<void>
  setTrust(name: PackageName, trust: PackageTrust): Promise<void>
}

/** The bundle that a version was published with, and what it was found to prove then. */
export interface KeptProvenance extends BundleFacts {
  /** As the publisher sent it. */
  readonly text: string
  /** Of those bytes, in hex: the log names it. */
  readonly sha256: string
  readonly verifiedAt: number
}

/** Base64 signatures by the digest of the bytes. */
export type OwnSignatures = ReadonlyMap<Digest, string>

/** What is kept of an origin, for pages. */
export interface OriginSummary {
  readonly origin: OriginName
  readonly packages: number
  /** Versions whose bytes are here, and their size. */
  readonly versions: number
  readonly sizeBytes: number
  readonly lastUsedAt: number | null
}

/** A mirror for a list. */
export type MirrorSummary = Pick<
  Mirror,
  'name' | 'origin' | 'checkedAt' | 'usedAt' | 'isGone' | 'description' | 'modifiedAt'
>

/** A mirror, and what is here of its bytes. */
export interface CachedPackage extends MirrorSummary {
  /** Versions whose bytes are here, and their size. */
  readonly versions: number
  readonly sizeBytes: number
}

export interface UpstreamWrites {
  listMeasures(name: PackageName): Promise<readonly UpstreamMeasure[]>
  /** Throws `upstream-changed` when other bytes came in under this name and version before, from wherever: that is for ever. */
  addIngested(version: Ingested): Promise<void>
  /** Undefined lifts the measure. */
  setMeasure(name: PackageName, version: Version, measure: UpstreamMeasure | undefined): Promise<void>
  /** As `ProvenanceRows.note`. */
  noteAttestations(name: PackageName, version: Version, kept: KeptAttestations): Promise<void>
  /** Moves the mirror's revision, so that its documents are made anew. */
  touchMirror(name: PackageName): Promise<void>
}

/** The policy, its exceptions, and what it is fed with. */
export interface PolicyReads {
  /** The list in force; undefined while nobody set one. */
  current(): Promise<Policy | undefined>
  listWaivers(name: PackageName): Promise<readonly Waiver[]>
  findWaiver(id: string): Promise<Waiver | undefined>
  /** Newest first. */
  listAllWaivers(state: Waiver['state'] | undefined, limit: number): Promise<readonly Waiver[]>
  /** Granted ones that end at a time or did before, the earliest first. */
  listWaiversEnding(before: number): Promise<readonly Waiver[]>
  listAdvisories(name: PackageName): Promise<readonly Advisory[]>
  /** Of many packages at once: what an audit asks. */
  listAdvisoriesOf(names: readonly PackageName[]): Promise<readonly Advisory[]>
  /** Of all packages of a scope (`@acme`), those told since a time. */
  listSiblingAdvisories(scope: string, since: number): Promise<readonly Advisory[]>
  /** Those of these digests that are known to be bad, and why. */
  listBadDigests(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, string>>
  /** Of a package: versions that were served here, or that a lock file named, and when first. */
  listGrandfathered(name: PackageName): Promise<ReadonlyMap<Version, number>>
}

export interface PolicyWrites {
  /** The list in force from now on: its version is one more than the last. */
  setPolicy(policy: Policy, at: number): Promise<void>
  setWaiver(waiver: Waiver): Promise<void>
  setAdvisory(advisory: Advisory): Promise<void>
  setBadDigest(bad: BadDigest): Promise<void>
  /** What a lock file names is left alone by rules enforced later. */
  grandfather(
    versions: readonly { readonly package: PackageName; readonly version: Version }[],
    at: number,
  ): Promise<void>
}

/** Who follows the event feed, and from where. */
export interface EventFeed {
  /** Position of the newest event, 0 when there is none. */
  head(): Promise<number>
  /** Events after `position`, oldest first. */
  read(position: number, limit: number): Promise<readonly StoredEvent[]>
  /** All events of a package, oldest first. */
  ofPackage(name: PackageName): Promise<readonly StoredEvent[]>
  /** Events that match, newest first, before a position: a page at a time. */
  search(query: EventQuery, before: number, limit: number): Promise<readonly StoredEvent[]>
  /** Called with each batch of new events: at once for this process's commits, within a second for others'. Returns stop. */
  follow(listener: (events: readonly StoredEvent[]) => void): () => void
  /**
   * Whether followers were told of everything that was committed, anywhere, until a second ago. False while this process
   * is cut off: what it remembers may be revoked or quarantined by now.
   */
  isCurrent(): boolean
}

/** Work that must have one owner at a time. A lease is lost when it is not renewed; the fence number tells a late owner so. */
export interface Leases {
  /** The cursor and fence when this process now owns the consumer, else undefined. */
  acquire(
    consumer: string,
    owner: string,
    durationMs: number,
  ): Promise<{ position: number; fence: number } | undefined>
  /** Who has it now or had it last; empty before anybody had. */
  owner(consumer: string): Promise<string>
  /** Where a consumer's durable cursor stands, for whoever looks on; 0 before it began. */
  position(consumer: string): Promise<number>
  /** Moves the durable cursor; false when the lease was lost. */
  advance(consumer: string, fence: number, position: number): Promise<boolean>
  release(consumer: string, owner: string): Promise<void>
}

/**
 * The transparency log of this instance (C2SP tlog-tiles): its leaves are the events for it, in the order of the feed. What
 * it answers from is published: signed, cosigned where witnesses are asked, and on disk.
 */
export interface Log {
  readonly origin: string
  /** `<name>+<id>+<base64>`: what its checkpoints verify under. For information, never a root of trust. */
  readonly vkey: string
  /** All its keys, the one in use last. */
  readonly keys: readonly LogKey[]
  /** The checkpoint that clients see; undefined before the first. */
  published(): Promise<PublishedLog | undefined>
  /**
   * Waits until everything committed before the call is under a published checkpoint, and publishes it itself where no other
   * process is about to; false when that is not so after ten seconds.
   */
  covered(): Promise<boolean>
  /** Throws `log-busy` while so much waits for a checkpoint that nothing more should come. */
  checkRoom(): Promise<void>
  /** A file of the log by its path in it (`tile/0/000.p/5`), or undefined. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Proofs of these entries, in their order, all under the published checkpoint. Throws `log-entry-not-found` for one that it does not cover. */
  prove(entries: readonly LogEntry[]): Promise<readonly EntryProof[]>
  state(): Promise<LogState>
}

/** An entry with its proof under a checkpoint. */
export interface EntryProof extends LogEntry {
  /** Sibling hashes, leaf to root. */
  readonly path: readonly Uint8Array[]
  /** The signed note. */
  readonly checkpoint: string
}

/** How the log is doing, for readiness, `doctor`, pages and metrics. */
export interface LogState {
  readonly size: number
  readonly publishedSize: number
  /** Milliseconds since the epoch; null before the first checkpoint. */
  readonly publishedAt: number | null
  /** Events for the log that no published checkpoint covers. */
  readonly waiting: number
  /** When the oldest of them happened; null when none waits. */
  readonly oldestAt: number | null
  /** Why nothing is signed any more, in words; empty while all is well. */
  readonly halted: string
}

/** The newest checkpoint that was published. */
export interface PublishedLog {
  readonly size: number
  readonly root: Uint8Array
  /** The signed note with its cosignatures. */
  readonly note: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Where the log's tree stands: everything needed to go on. */
export interface LogHead {
  readonly size: number
  readonly root: Uint8Array
  /** Hashes of its complete subtrees, the largest first. */
  readonly hashes: readonly Uint8Array[]
  /** Of the last event in it; events after it wait. */
  readonly position: number
}

/** One entry of the log. */
export interface LogEntry {
  readonly index: number
  readonly entry: Uint8Array
}

/** The log's own rows. Its entries are events: their leaves are final when the change commits. */
export interface LogRows {
  head(): Promise<LogHead>
  published(): Promise<PublishedLog | undefined>
  /** Of the tree, and how many committed events for the log come after it, counted up to `most`; when the oldest happened. */
  countWaiting(
    most: number,
  ): Promise<{ readonly size: number; readonly count: number; readonly oldestAt: number | null }>
  /** When the event of an entry happened. */
  findTime(index: number): Promise<number | undefined>
  /**
   * The next waiting events, `limit` at most, take their places at the end of the tree; `extend` says what it is then, from
   * what it was and their leaf hashes. One transaction: the head moves from exactly what was read, or nothing happens and
   * undefined comes back, as when nobody waits. A power cut may take it back until the next durable commit: the events stay,
   * and with them the same places.
   */
  sequence(
    limit: number,
    extend: (head: LogHead, leafHashes: readonly Uint8Array[]) => Promise<Omit<LogHead, 'position'>>,
  ): Promise<LogHead | undefined>
  /**
   * Puts events back of which only the leaves are left, after those that wait, which must be the first of them: `log-damaged`
   * otherwise. One durable transaction; what the events did to other rows is not done again, and until `endRecovery` the
   * store remembers that.
   */
  recover(leaves: readonly string[]): Promise<void>
  /** The size that the log had when a recovery began that did not end. */
  findRecovery(): Promise<number | undefined>
  endRecovery(): Promise<void>
  /** Entries `from` to `to` (not included) in their order; fewer where the tree ends. */
  readEntries(from: number, to: number): Promise<readonly LogEntry[]>
  /** The entry of an event by its id, or the publication of a version: as `publish`, or as `ingest` where it came from an upstream. */
  findById(id: string): Promise<LogEntry | undefined>
  findPublish(name: PackageName, version: Version): Promise<LogEntry | undefined>
  /** The same for many versions, in their order. */
  findPublishes(
    wanted: readonly { readonly name: PackageName; readonly version: Version }[],
  ): Promise<readonly (LogEntry | undefined)[]>
  /** All entries of a package in their order. */
  ofPackage(name: PackageName): Promise<readonly LogEntry[]>
  /** Of the first of these packages, in their order, as many as have `most` entries together, and one at least. */
  ofPackages(
    names: readonly PackageName[],
    most: number,
  ): Promise<ReadonlyMap<PackageName, readonly LogEntry[]>>
}

export interface LogWrites {
  /**
   * Replaces the published checkpoint `before` (undefined for none); throws `log-moved` when that is another by now. Gives
   * the versions whose publication it covers and the one before did not, by package.
   */
  publish(
    before: PublishedLog | undefined,
    next: PublishedLog,
  ): Promise<readonly { readonly package: PackageName; readonly version: Version }[]>
  /** These are published as their leaves say: they are no longer pending. */
  show(name: PackageName, versions: readonly Version[]): Promise<void>
}

/**
 * The log as static files, trusted by nobody: each is checked against a signed root. Tiles and bundles never change.
 */
export interface LogFiles {
  /**
   * Each is whole when this resolves, also for other processes and if this one is killed; that it outlasts a power cut is what
   * `settle` promises, and what one left half there is written again. A path that is there with the same bytes is fine, with others throws `log-forked`. A crash leaves some of them, and
   * temporary files that go when the store opens.
   */
  write(files: ReadonlyMap<string, Uint8Array>): Promise<void>
  read(path: string): Promise<Uint8Array | undefined>
  /** These, whoever wrote them, and all that were written here are durable when this resolves. Throws `log-unsynced` where the disk does not say so. */
  settle(paths: readonly string[]): Promise<void>
  /** The one file that changes; durable when this resolves, and never half there. Throws `log-unsynced` likewise. */
  replaceCheckpoint(note: string): Promise<void>
}

/**
 * Signs with the log's key, which never leaves the port. Keeps its own durable mark of the largest tree it signed, apart from
 * the database, and refuses a smaller one (`log-behind`) or another root of the same size (`log-forked`). Where the disk does
 * not say that it kept the mark nothing is signed (`log-unsynced`).
 */
export interface LogSigner {
  readonly vkey: string
  /** All keys that this log ever had, the one in use last. */
  readonly keys: readonly LogKey[]
  /** The signature lines over the note text of a tree, each with its line end; twice the same tree gives the same bytes. */
  sign(tree: { readonly size: number; readonly root: Uint8Array }, noteText: string): Promise<string>
  /** The largest tree signed so far; undefined before the first. */
  mark(): Promise<{ readonly size: number; readonly root: Uint8Array } | undefined>
  /** Takes the keys as they are in the folder now: another process may have rotated them. */
  reload(): Promise<void>
  /**
   * Signs with a new key from now on, durable when this resolves, and until a time (milliseconds since the epoch) with the
   * former one too. A crash leaves the former one in use, or the new one.
   */
  rotate(until: number): Promise<void>
}

/** A key of the log. */
export interface LogKey {
  readonly vkey: string
  /** Eight hexadecimal characters. */
  readonly id: string
  /** Until when it signs beside its successor, in milliseconds since the epoch; null for the one in use. */
  readonly signsUntil: number | null
}

/** Others who vouch that they saw one log only. They are told checkpoints and nothing else. */
export interface Witnesses {
  /**
   * Asks all of them, within two seconds: signature lines that verify, each with its line end, and whether they are enough.
   * `proveFrom` gives the consistency proof from a smaller size. Throws `log-forked` when one of them has seen a larger tree
   * than this, or another.
   */
  cosign(
    note: string,
    size: number,
    proveFrom: (size: number) => Promise<readonly Uint8Array[]>,
  ): Promise<{ readonly lines: readonly string[]; readonly isQuorumMet: boolean }>
  /** Those that are asked, and how they have been doing. */
  list(): readonly WitnessState[]
  /** Who vouches and how many must, as lines of C2SP tlog-policy without those of logs. */
  readonly policy: readonly string[]
}

/** One witness, for pages and metrics. */
export interface WitnessState {
  readonly name: string
  readonly vkey: string
  readonly host: string
  /** Of the tree it acknowledged last; 0 before the first. */
  readonly size: number
  /** Milliseconds since the epoch; null while this process has no answer. */
  readonly lastAnswerAt: number | null
  /** Why it gave none when it was asked last; empty when it did. */
  readonly why: string
}

/** A packument as it is stored: made when something changes, not when somebody reads. */
export interface DocumentRow {
  readonly package: PackageName
  readonly form: DocumentForm
  /** Whose package it shows: of another origin's no row is of use. */
  readonly origin: OriginName
  /** The package revision it shows. */
  readonly revision: number
  readonly publicUrl: string
  /** Version of the policy it was made under. */
  readonly policyVersion: number
  /** Milliseconds since the epoch after which it must be made again, or null. */
  readonly validUntil: number | null
  readonly etag: string
  /** Empty where an encoding is not made; gzip always is. */
  readonly identity: Uint8Array
  readonly gzip: Uint8Array
  readonly brotli: Uint8Array
  readonly zstd: Uint8Array
}

export type DocumentForm = 'full' | 'corgi'

/** The tables that decide who may publish and what is served, in the terms of the log's leaves. */
export interface GateReads {
  /** Every row that counts at `now`, read from the tables themselves. */
  list(now: number): Promise<GateRows>
  /** The texts that leaves about these rows name by their digest, as far as they are not erased. */
  listDocuments(): Promise<readonly string[]>
}

/** Texts that leaves of the log name by their digest. */
export interface LeafDocumentReads {
  /** Undefined for one that was erased. */
  find(digest: string): Promise<string | undefined>
}

/** What leaves name can be forgotten, though the leaves cannot. */
export interface LeafDocumentWrites {
  /** Whether it was there. */
  erase(digest: string): Promise<boolean>
}

export interface DocumentRows {
  find(name: PackageName, form: DocumentForm): Promise<DocumentRow | undefined>
  /** Replaces stored documents, each unless a newer one of the same origin is there. No event: they follow from events. */
  save(...rows: readonly DocumentRow[]): Promise<void>
}

/** Ready documents, from memory where possible; made anew when stale, once for all who wait. */
export interface Documents {
  /** The document if it is in memory and fresh; never waits. */
  peek(name: string, form: DocumentForm): ReadyDocument | undefined
  /** The document, or undefined when the package does not exist. It stays in memory while others are asked for less. */
  get(name: PackageName, form: DocumentForm): Promise<ReadyDocument | undefined>
  /** JSON text of one version object; undefined where it is not listed. */
  getVersion(name: PackageName, version: Version): Promise<string | undefined>
  /** What an upstream package says of itself, for its page. No gate is asked: whoever shows it does that. */
  getWords(mirror: Mirror, version: Version): Promise<UpstreamWords>
  /** Makes and stores what is stale of a package, before anybody asks; memory is for what somebody asked for. */
  make(name: PackageName): Promise<void>
  /** Drops what is in memory. */
  drop(name: PackageName): void
}

/** What a person reads of an upstream package, nothing of it checked. */
export interface UpstreamWords {
  /** The first 64 Ki characters of its Markdown; empty for none. */
  readonly readme: string
  /** Of the version's manifest what a page shows: licence, addresses, engines, dependencies; empty where nothing is kept. */
  readonly manifest: Readonly<Record<string, unknown>>
}

export type Encoding = 'identity' | 'gzip' | 'br' | 'zstd'

/** Header names and values in turn, as `writeHead` takes them, and the bytes. */
export interface DocumentVariant {
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

/** A document with its answers ready to send, one an encoding; gzip is always among them. */
export interface ReadyDocument {
  readonly package: PackageName
  readonly revision: number
  readonly validUntil: number | null
  readonly access: 'public' | 'restricted'
  /** Why it may be out of date; empty while it is not. */
  readonly warning: KnownMirror['warning']
  readonly etag: string
  readonly variants: { readonly [encoding in Encoding]?: DocumentVariant }
  /** Headers of the 304. */
  readonly unchanged: readonly string[]
  readonly sizeBytes: number
}

/** A letter. Delivery is retried; without SMTP it waits in the outbox. */
export interface Letter {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** True when it holds a secret link that operators must not see. */
  readonly secret: boolean
}

export interface Mail {
  /** `smtp` delivers; `outbox` keeps letters for the operator's page. */
  readonly kind: 'smtp' | 'outbox'
  /** Sends one letter now; throws when the relay refuses. */
  deliver(letter: Letter): Promise<void>
}

export interface StoredLetter extends Letter {
  readonly id: number
  readonly createdAt: number
  readonly sentAt: number | null
  readonly attempts: number
  readonly error: string | null
}

export interface MailRows {
  listWaiting(limit: number): Promise<readonly StoredLetter[]>
  listRecent(limit: number): Promise<readonly StoredLetter[]>
  markSent(id: number, at: number): Promise<void>
  markFailed(id: number, error: string): Promise<void>
}

/** Where names of upstream registries can be read without asking for any of them. */
export interface NameSource {
  /** The same for the same source. */
  readonly id: string
  /** For people: the file, or the host. */
  readonly label: string
  /** Its names are those of packages that changed, not all there are. */
  readonly isFeed: boolean
  /** What came since a position, 0 for the beginning. Throws `file-unreadable`, `remote-failed`. */
  read(since: number): AsyncIterable<NamePage>
}

/** Some names, of which nothing is checked, and where to read on once they are dealt with. */
export interface NamePage {
  readonly names: readonly string[]
  readonly position: number
}

/** How each webhook has been doing; the event feed's cursor says where it is. */
export interface WebhookRows {
  /** Since when it is configured: `at` when nobody asked before. */
  begin(id: string, at: number): Promise<number>
  noteDelivered(id: string, at: number): Promise<void>
  noteFailed(id: string, at: number, why: string): Promise<void>
  list(): Promise<readonly WebhookState[]>
}

export interface WebhookState {
  readonly id: string
  readonly begunAt: number
  readonly deliveredAt: number | null
  /** Since it last took a message. */
  readonly failures: number
  readonly failedAt: number | null
  /** Of the last failure, in words; empty when there was none since. */
  readonly why: string
}

export interface MailWrites {
  add(letter: Letter): Promise<void>
}

/** One fetch of a tarball. */
export interface Download {
  readonly package: PackageName
  readonly version: Version
  readonly accountId: string
  readonly tokenId: string
  readonly address: string
  readonly client: string
}

/** Takes downloads and writes them in batches of a second; a crash loses at most the last second. */
export interface DownloadRecorder {
  add(download: Download): void
  flush(): Promise<void>
}

/** Something that was tried and refused. */
export interface Refusal {
  readonly type: 'denied' | 'sign-in-failed'
  /** The account that tried, or that was tried; empty when it is none of ours. */
  readonly accountId: string
  /** The operation, or what was guessed at. */
  readonly what: string
  readonly subject: string
  readonly why: ProblemCode
  readonly address: string
  readonly client: string
}

/** One event on its way to whoever watches over all of a company. */
export interface SinkLine {
  readonly time: string
  readonly type: string
  readonly isWarning: boolean
  readonly json: string
  /** For ways that take only little. */
  readonly short: string
}

/** The company's own watch. Throws when it did not take all of them; the same come again then. */
export interface AuditSink {
  send(lines: readonly SinkLine[]): Promise<void>
}

/** Takes what was refused into the record, gathered and bounded; a crash loses at most the last seconds. */
export interface Trail {
  note(refusal: Refusal): void
  flush(): Promise<void>
}

export interface DownloadCount extends Download {
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

export interface DownloadRows {
  /** Adds a batch in one transaction, and notes of what came in from an upstream that it was used. */
  add(batch: readonly DownloadCount[]): Promise<void>
  /** Fetches of a package, or of one version, since a time. */
  count(name: PackageName, version: Version | undefined, sinceMs: number): Promise<number>
  /** Fetches a day, oldest first, for the sparkline. */
  perDay(name: PackageName, sinceMs: number): Promise<readonly { day: number; count: number }[]>
  /** What was fetched since a time, by package, the most used ones first. */
  listUsed(
    sinceMs: number,
    packages: number,
  ): Promise<readonly (readonly [PackageName, ReadonlySet<Version>])[]>
  /** Makes each address in records of days before this time what `shorten` makes of it; a network stays as it is. */
  shortenAddresses(beforeMs: number, shorten: (address: string) => string): Promise<void>
  /**
   * Moves records of days before this time, at most so many, to holders: of each identity and version when it fetched
   * first and last, and how often. Says how many it moved; of two that move at once each record is moved by one.
   */
  rollUp(beforeMs: number, limit: number): Promise<number>
  /** Drops holders that fetched last before this time, at most so many, and says how many. */
  dropHolders(beforeMs: number, limit: number): Promise<number>
}
