// SPDX-License-Identifier: Apache-2.0
/** Attestations in Sigstore's bundles: the library proves who signed what and when; what was signed is read here. */
import { createHash } from 'node:crypto'
import { formatPurl, parseJson } from '@holdfast/core'
import { type Bundle, bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { type Signer, toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { readBuild } from './build-certificate.ts'
import type { BuildFacts, ProvenanceFinding, ProvenanceSubject } from './provenance.ts'

/** One attestation as npm's wire form has it. */
interface Attestation {
  readonly predicateType: unknown
  readonly bundle: unknown
}

/** Whose signatures count, and the SHA-256 of the file that says so, in hex. */
export interface TrustRoot {
  readonly verifier: Verifier
  readonly digest: string
  /** The public Sigstore's, whose keys every client fetches for itself. */
  readonly isPublic: boolean
}

/** A bundle whose signature, subject and predicate hold under a root. */
export interface SignedProvenance {
  readonly build: BuildFacts
  readonly root: TrustRoot
  readonly signedAt: number
  readonly signer: string
}

type Members = Readonly<Record<string, unknown>>

const payloadType = 'application/vnd.in-toto+json'
const statementTypes = new Set(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'])
export const provenanceTypes: ReadonlySet<string> = new Set([
  'https://slsa.dev/provenance/v1',
  'https://slsa.dev/provenance/v0.2',
])
/** npm serves two: provenance, and its own word that it published. */
const maxAttestations = 16
const longestWhy = 300

const publicAuthority = 'https://fulcio.sigstore.dev'

/** What does not hold, in words. */
export class Broken extends Error {}

/** The trusted root in Sigstore's JSON form. Throws where it is none. */
export function readTrustRoot(text: string, digest: string): TrustRoot {
  const root = TrustedRoot.fromJSON(JSON.parse(text))
  // The library takes a log's key without a beginning for one that was always good.
  if (root.tlogs.length === 0 || root.tlogs.some(each => each.publicKey?.validFor?.start === undefined))
    throw new Error('it names no transparency log, or one whose key has no beginning')
  const authorities = root.certificateAuthorities
  const isPublic = authorities.length > 0 && authorities.every(({ uri }) => uri === publicAuthority)
  return { verifier: new Verifier(toTrustMaterial(root)), digest, isPublic }
}

/** The list of attestations, or undefined where the text is nothing of the kind. */
export function readAttestations(text: string): readonly Attestation[] | undefined {
  try {
    const said = membersOf(parseJson(text))['attestations']
    return Array.isArray(said) ? said.map(each => membersOf(each) as unknown as Attestation) : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether all of a version's provenance holds: signed by a certificate of a root, logged, about these very bytes, and saying
 * the same as the certificate. Its registry's own word that it published is not looked at: its signature says the same.
 */
export function checkAttestations(
  attestations: readonly Attestation[],
  subject: ProvenanceSubject,
  roots: readonly TrustRoot[],
): ProvenanceFinding {
  try {
    if (attestations.length > maxAttestations) throw new Broken('there are too many of them')
    const found = attestations.flatMap(each => checkOne(each, subject, roots) ?? [])
    const [first] = found
    if (first === undefined) throw new Broken('none of them says where it was built')
    return { kind: 'verified', build: first.build, root: first.root.digest }
  } catch (error) {
    return { kind: 'broken', why: wordsOf(error), root: roots[0]?.digest ?? '' }
  }
}

/** Undefined for an attestation of another kind. */
function checkOne(
  { predicateType, bundle }: Attestation,
  subject: ProvenanceSubject,
  roots: readonly TrustRoot[],
): SignedProvenance | undefined {
  if (!provenanceTypes.has(String(predicateType))) return undefined
  const opened = openBundle(bundle)
  // What stands beside the bundle is signed by nobody.
  if (opened.predicateType !== predicateType) throw new Broken('it is not what it is listed as')
  return checkSigned(opened, subject, roots)
}

/** A bundle with the statement that it signs, nothing of it checked but its form. */
export interface OpenedBundle {
  readonly bundle: Bundle
  readonly statement: Members
  readonly predicateType: unknown
  readonly certificate: Uint8Array
  readonly signature: Uint8Array
}

/** Takes a bundle apart that a certificate signed once. Throws where it is none. */
export function openBundle(said: unknown): OpenedBundle {
  const bundle = bundleFromJSON(said)
  if (bundle.content.$case !== 'dsseEnvelope') throw new Broken('it signs no statement')
  const { dsseEnvelope } = bundle.content
  if (dsseEnvelope.payloadType !== payloadType) throw new Broken('its statement is of an unknown form')
  const statement = membersOf(parseJson(dsseEnvelope.payload.toString('utf8')))
  const { content } = bundle.verificationMaterial
  if (content.$case === 'publicKey') throw new Broken('it is signed by a key and not by a build')
  const certificate =
    content.$case === 'certificate' ? content.certificate : content.x509CertificateChain.certificates[0]
  const [signature, ...more] = dsseEnvelope.signatures
  if (signature === undefined || more.length > 0) throw new Broken('it has more signatures than one')
  return {
    ...{ bundle, statement, predicateType: statement['predicateType'] },
    certificate: certificate?.rawBytes ?? new Uint8Array(),
    signature: signature.sig,
  }
}

/** Whether a bundle is provenance of these bytes under one of the roots. Throws what does not hold. */
export function checkSigned(
  { bundle, statement, certificate, signature }: OpenedBundle,
  subject: ProvenanceSubject,
  roots: readonly TrustRoot[],
): SignedProvenance {
  const { signer, root, signedAt } = verifyUnder(bundle, roots)
  const build = buildOf(signer)
  checkSubject(statement, subject)
  checkPredicate(membersOf(statement['predicate']), build)
  const digest = createHash('sha256').update(certificate).update(signature).digest('hex')
  return { build, root, signedAt, signer: digest }
}

/** The first root under which it holds; what the first one says where none does. */
function verifyUnder(bundle: Bundle, roots: readonly TrustRoot[]) {
  const entity = toSignedEntity(bundle)
  const faults: unknown[] = []
  for (const root of roots) {
    try {
      return { signer: root.verifier.verify(entity), root, signedAt: newestOf(entity.timestamps) }
    } catch (error) {
      faults.push(error)
    }
  }
  throw faults[0]
}

/** Of the times that the library verified: without a promise a log's time is nobody's word. */
function newestOf(timestamps: ReturnType<typeof toSignedEntity>['timestamps']): number {
  const times = timestamps.flatMap(each => {
    if (each.$case === 'timestamp-authority') return each.timestamp.signingTime.getTime()
    const { inclusionPromise, integratedTime } = each.tlogEntry
    return inclusionPromise === undefined ? [] : Number(integratedTime) * 1000
  })
  return Math.max(...times)
}

function buildOf({ identity }: Signer): BuildFacts {
  const extensions = (identity?.oids ?? []).map(({ oid, value }) => ({
    oid: oid?.id.join('.') ?? '',
    value,
  }))
  const build = readBuild(extensions, identity?.subjectAlternativeName ?? '')
  // Anybody with a mailbox gets a certificate; only a build's names a repository.
  if (build === undefined) throw new Broken('its certificate names no source, or not clearly')
  return build
}

/** A statement for another package, version or tarball, or for several, would be as well signed as this one. */
function checkSubject(statement: Members, { name, version, digest }: ProvenanceSubject): void {
  if (!statementTypes.has(String(statement['_type']))) throw new Broken('its statement is of an unknown form')
  const subjects = statement['subject']
  if (!Array.isArray(subjects) || subjects.length !== 1) throw new Broken('it is not about one thing')
  const said = membersOf(subjects[0])
  if (said['name'] !== formatPurl(name, version)) throw new Broken('it is about another package or version')
  if (membersOf(said['digest'])['sha512'] !== digest) throw new Broken('it is about other bytes')
}

/** The job writes the predicate, the authority the certificate: where both speak they must say the same. */
function checkPredicate(predicate: Members, build: BuildFacts): void {
  const said = sourceOf(predicate)
  if (said.repository.toLowerCase() !== build.repository.toLowerCase())
    throw new Broken('it names another repository than its certificate')
  if (said.commit !== build.commit) throw new Broken('it names another commit than its certificate')
  if (said.ref !== undefined && build.ref !== '' && said.ref !== build.ref)
    throw new Broken('it names another ref than its certificate')
  // Before certificates had ids, they named the workflow that signed, not always the one that was started.
  if (said.path !== undefined && build.repositoryId !== '' && !isWorkflow(said.path, build))
    throw new Broken('it names another workflow than its certificate')
}

function isWorkflow(path: unknown, { repository, workflow, ref }: BuildFacts): boolean {
  const isOfIt = workflow.toLowerCase().startsWith(`${repository}/`.toLowerCase())
  return isOfIt && workflow.slice(repository.length + 1) === `${path}@${ref}`
}

interface SaidSource {
  readonly repository: string
  readonly commit: string
  /** What not every form says. */
  readonly ref?: unknown
  readonly path?: unknown
}

function sourceOf(predicate: Members): SaidSource {
  const definition = predicate['buildDefinition']
  if (definition === undefined) {
    const { uri, digest } = membersOf(membersOf(predicate['invocation'])['configSource'])
    const [repository = '', ref] = String(uri)
      .replace(/^git\+/, '')
      .split(/@(?=refs\/)/)
    return { repository, commit: String(membersOf(digest)['sha1']), ref }
  }
  const { externalParameters, resolvedDependencies } = membersOf(definition)
  const { repository, ref, path } = membersOf(membersOf(externalParameters)['workflow'])
  const [first] = Array.isArray(resolvedDependencies) ? resolvedDependencies : []
  const { gitCommit } = membersOf(membersOf(first)['digest'])
  return { repository: String(repository), commit: String(gitCommit), ref, path }
}

export function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Broken('its statement is not what it should be')
  return value as Members
}

/** What does not hold, in words: the library's code where it has one; what it says may quote the attestation. */
export function wordsOf(error: unknown): string {
  if (error instanceof Broken) return error.message
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  const words = [code, message].filter(each => typeof each === 'string').join(': ')
  return words.replace(/[^\x20-\x7e]/g, ' ').slice(0, longestWhy)
}
