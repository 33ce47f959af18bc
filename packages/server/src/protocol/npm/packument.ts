// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity, type PackageName, statusTable, tarballFileName } from '@holdfast/core'
import {
  decide,
  nextAllowed,
  type Package,
  type PackagePerson,
  type PackageVersion,
  tellReason,
  type VersionFacts,
} from '../../catalog/index.ts'
import { type PackageView, type Viewing, viewPackage } from '../../flow/index.ts'
import type { DocumentForm } from '../../ports.ts'
import type { Piece } from './press.ts'

/** Where clients reach the npm routes. */
export function registryUrl(publicUrl: string): string {
  return `${publicUrl}/npm`
}

/** The canonical tarball address: pnpm and berry rebuild exactly this one from name and version. */
export function tarballUrl(publicUrl: string, name: PackageName, version: PackageVersion['version']): string {
  return `${registryUrl(publicUrl)}/${name}/-/${tarballFileName(name, version)}`
}

/** `_rev`: opaque to clients, moves with every change, and carries the revision that a write must match. */
export function formatRev(revision: number): string {
  return `${revision}-holdfast`
}

/** The revision inside a `_rev`, or undefined when it is none of ours (yarn 1 sends `undefined`). */
export function parseRev(rev: string): number | undefined {
  const found = /^(\d{1,15})-holdfast$/.exec(rev)
  return found?.[1] === undefined ? undefined : Number(found[1])
}

/** A package that was published here, with what a reader sees of it. */
export interface Seen {
  readonly known: Package
  readonly view: PackageView
}

/** Looks at a package that was published here, or undefined. */
export async function seePackage(ports: Viewing, name: PackageName): Promise<Seen | undefined> {
  // Read before its versions: a change in between makes the document stale, and it is made again.
  const known = await ports.store.catalog.findPackage(name)
  const view = known && (await viewPackage(ports, name))
  return view && { known, view }
}

/**
 * One form of a packument as pieces of JSON text, from what was computed when each version was published: no manifest
 * is parsed or printed again, and no piece is larger than a page of versions.
 */
export async function buildPackument(
  { store: { catalog } }: Viewing,
  publicUrl: string,
  { known, view }: Seen,
  form: DocumentForm,
): Promise<readonly Piece[]> {
  const { name } = known
  const versions = new VersionText(publicUrl, form, view)
  for await (const page of catalog.versions(name)) versions.addPage(page)
  if (known.removedAt !== null && view.versions.every(facts => facts.status === 'removed')) {
    return [encode(unpublishedText(known, view, form))]
  }
  const tags = Object.fromEntries(view.tags)
  if (form === 'corgi') return withVersions(view, corgiHead(known, tags, versions), versions)
  const people = await catalog.listPeople(name)
  const stars = await catalog.listStars(name)
  return withVersions(view, fullHead(known, tags, versions, people, stars), versions)
}

/** Collects the pieces of `versions` and `time` as pages of versions go by. */
class VersionText {
  readonly pages: Piece[] = []
  readonly times: [string, string][] = []
  newest: PackageVersion | undefined
  readonly publicUrl: string
  readonly form: DocumentForm
  readonly #facts: ReadonlyMap<string, VersionFacts>

  constructor(publicUrl: string, form: DocumentForm, view: PackageView) {
    this.publicUrl = publicUrl
    this.form = form
    this.#facts = new Map(view.versions.map(facts => [facts.version, facts]))
  }

  addPage(page: readonly PackageVersion[]): void {
    const members = page.flatMap(version => this.#add(version))
    if (members.length > 0) this.pages.push(encode(`${this.pages.length > 0 ? ',' : ''}${members.join(',')}`))
  }

  /** The member of `versions`, when it is listed. */
  #add(version: PackageVersion): string[] {
    const facts = this.#facts.get(version.version)
    // Published since the view was taken: the revision of this document does not promise it.
    if (facts === undefined) return []
    const decision = decide(facts)
    if (decision.listed) {
      this.times.push([version.version, iso(version.publishedAt)])
      this.newest = version
      return [
        `${JSON.stringify(version.version)}:${textOf(this.publicUrl, this.form, version, decision.deprecated)}`,
      ]
    }
    return []
  }
}

function textOf(publicUrl: string, form: DocumentForm, version: PackageVersion, deprecated: string): string {
  const kept = form === 'full' ? version.manifest : version.shortManifest
  const extra: Record<string, unknown> = { dist: distOf(publicUrl, version) }
  if (deprecated !== '') extra['deprecated'] = deprecated
  const user = form === 'full' ? userOf(version) : undefined
  if (user !== undefined) extra['_npmUser'] = user
  return `${kept.slice(0, -1)},${JSON.stringify(extra).slice(1)}`
}

/** Who published it, as npm and pnpm read it: that a trusted publisher did counts for more than a name, a second person for most. */
function userOf(version: PackageVersion): Record<string, unknown> | undefined {
  const { publisherLogin, publisherProvider, approverLogin } = version
  const approver = approverLogin === '' ? {} : { approver: { name: approverLogin, email: '' } }
  if (publisherProvider !== '') {
    const name = jobsOf[publisherProvider] ?? 'CI'
    return { name, email: '', trustedPublisher: { id: publisherProvider }, ...approver }
  }
  return publisherLogin === '' ? undefined : { name: publisherLogin, email: '', ...approver }
}

const jobsOf: Readonly<Record<string, string>> = {
  github: 'GitHub Actions',
  gitlab: 'GitLab CI/CD',
  circleci: 'CircleCI',
}

/** `dist` as served. */
function distOf(publicUrl: string, version: PackageVersion): Record<string, unknown> {
  return {
    integrity: formatIntegrity(version.digest),
    shasum: version.shasum,
    tarball: tarballUrl(publicUrl, version.package, version.version),
    fileCount: version.fileCount,
    unpackedSize: version.unpackedSizeBytes,
    signatures: JSON.parse(version.signatures) as unknown,
    ...attestationsOf(publicUrl, version),
  }
}

/** Only what npm can verify: another bundle makes `npm audit signatures` fail for a whole project. It is served all the same. */
function attestationsOf(publicUrl: string, version: PackageVersion): Record<string, unknown> {
  const { package: name, version: ver, predicateType, isProvenPublicly } = version
  if (!isProvenPublicly) return {}
  const url = `${registryUrl(publicUrl)}/-/npm/v1/attestations/${name.replace('/', '%2f')}@${ver}`
  return { attestations: { url, provenance: { predicateType } } }
}

/** One version object, for `GET /{pkg}/{version}`. */
export function versionText(publicUrl: string, version: PackageVersion, facts: VersionFacts): string {
  return textOf(publicUrl, 'full', version, decide(facts).deprecated)
}

function timeOf(known: Package, versions: VersionText): Record<string, string> {
  return {
    created: iso(known.createdAt),
    modified: iso(known.modifiedAt),
    ...Object.fromEntries(versions.times),
  }
}

/** The members of a head, then `versions` page by page. */
function withVersions(view: PackageView, head: Record<string, unknown>, versions: VersionText): Piece[] {
  const tail = restrictionsText(versions.publicUrl, view)
  return [encode(`${JSON.stringify(head).slice(0, -1)},"versions":{`), ...versions.pages, encode(`}${tail}}`)]
}

const encoder = new TextEncoder()

function encode(text: string): Piece {
  return encoder.encode(text)
}

function corgiHead(known: Package, tags: Record<string, string>, versions: VersionText) {
  return {
    name: known.name,
    modified: iso(known.modifiedAt),
    'dist-tags': tags,
    time: timeOf(known, versions),
  }
}

const packageFields = ['homepage', 'repository', 'license', 'bugs', 'author'] as const

function fullHead(
  known: Package,
  tags: Record<string, string>,
  versions: VersionText,
  people: readonly PackagePerson[],
  stars: readonly string[],
) {
  const newest =
    versions.newest === undefined ? {} : (JSON.parse(versions.newest.manifest) as Record<string, unknown>)
  return {
    _id: known.name,
    _rev: formatRev(known.revision),
    name: known.name,
    description: known.description,
    'dist-tags': tags,
    time: timeOf(known, versions),
    maintainers: people.filter(canPublish).map(({ login, email }) => ({ name: login, email })),
    users: Object.fromEntries(stars.map(login => [login, true])),
    keywords: known.keywords,
    ...Object.fromEntries(
      packageFields.filter(field => newest[field] !== undefined).map(field => [field, newest[field]]),
    ),
    readme: known.readme,
  }
}

/**
 * The member that tells why versions are hidden, with a comma in front, or empty: npm alone reads it, and refuses an exact
 * request with these words; ranges pick another version.
 */
export function restrictionsText(publicUrl: string, { name, versions: all }: PackageView): string {
  const restricted = all.filter(facts => statusTable[decide(facts).status].httpStatus === 403)
  if (restricted.length === 0) return ''
  const reasons = restricted.slice(-10).map(facts => {
    const next = nextAllowed(all, facts.version)
    const instead = next === undefined ? '' : `, allowed instead: ${next}`
    return `${facts.version} is ${facts.status}: ${tellReason(facts)}${instead}`
  })
  const versions = restricted.map(({ version }) => [version, { name, version }])
  const message = `${reasons.join('; ')}. Why, and what to do: ${publicUrl}/why/npm/${name}`
  const member = { message, versions: Object.fromEntries(versions) }
  return `,"policyRestrictions":${JSON.stringify(member)}`
}

/**
 * What npm shows as "Unpublished on …", and pnpm in its way. Without the empty members yarn and berry crash, and pnpm
 * tries again for a minute.
 */
function unpublishedText(known: Package, view: PackageView, form: DocumentForm): string {
  const modified = iso(known.modifiedAt)
  const unpublished = {
    time: iso(known.removedAt ?? 0),
    versions: view.versions.map(facts => facts.version),
  }
  const head =
    form === 'full'
      ? { _id: known.name, _rev: formatRev(known.revision), name: known.name }
      : { name: known.name, modified }
  const time = { created: iso(known.createdAt), modified, unpublished }
  return JSON.stringify({ ...head, 'dist-tags': {}, versions: {}, time })
}

function canPublish(person: PackagePerson): boolean {
  return person.role === 'owner' || person.role === 'maintainer'
}

export function iso(at: number): string {
  return new Date(at).toISOString()
}
