// SPDX-License-Identifier: Apache-2.0
/** Attestations in Sigstore's bundles: the library proves who signed what and when; what was signed is read here. */
import { formatPurl, parseJson } from '@holdfast/core'
import { bundleFromJSON } from '@sigstore/bundle'
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
}

type Members = Readonly<Record<string, unknown>>

const payloadType = 'application/vnd.in-toto+json'
const statementTypes = new Set(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'])
const provenanceTypes = new Set(['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2'])
/** npm serves two: provenance, and its own word that it published. */
const maxAttestations = 16
const longestWhy = 300

/** What does not hold, in words. */
class Broken extends Error {}

/** The trusted root in Sigstore's JSON form. Throws where it is none. */
export function readTrustRoot(text: string, digest: string): TrustRoot {
  const root = TrustedRoot.fromJSON(JSON.parse(text))
  // The library takes a log's key without a beginning for one that was always good.
  if (root.tlogs.length === 0 || root.tlogs.some(each => each.publicKey?.validFor?.start === undefined))
    throw new Error('it names no transparency log, or one whose key has no beginning')
  return { verifier: new Verifier(toTrustMaterial(root)), digest }
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
 * Whether all of a version's provenance holds: signed by a certificate of the root, logged, about these very bytes, and saying
 * the same as the certificate. Its registry's own word that it published is not looked at: its signature says the same.
 */
export function checkAttestations(
  attestations: readonly Attestation[],
  subject: ProvenanceSubject,
  { verifier, digest: root }: TrustRoot,
): ProvenanceFinding {
  try {
    if (attestations.length > maxAttestations) throw new Broken('there are too many of them')
    const builds = attestations.flatMap(each => checkOne(each, subject, verifier) ?? [])
    const [build] = builds
    if (build === undefined) throw new Broken('none of them says where it was built')
    return { kind: 'verified', build, root }
  } catch (error) {
    return { kind: 'broken', why: wordsOf(error), root }
  }
}

/** Undefined for an attestation of another kind. */
function checkOne(
  { predicateType, bundle: said }: Attestation,
  subject: ProvenanceSubject,
  verifier: Verifier,
): BuildFacts | undefined {
  if (!provenanceTypes.has(String(predicateType))) return undefined
  const bundle = bundleFromJSON(said)
  if (bundle.content.$case !== 'dsseEnvelope') throw new Broken('it signs no statement')
  const { dsseEnvelope } = bundle.content
  if (dsseEnvelope.payloadType !== payloadType) throw new Broken('its statement is of an unknown form')
  const statement = membersOf(parseJson(dsseEnvelope.payload.toString('utf8')))
  // What stands beside the bundle is signed by nobody.
  if (statement['predicateType'] !== predicateType) throw new Broken('it is not what it is listed as')
  if (bundle.verificationMaterial.content.$case === 'publicKey')
    throw new Broken('it is signed by a key and not by a build')
  if (dsseEnvelope.signatures.length !== 1) throw new Broken('it has more signatures than one')
  const build = buildOf(verifier.verify(toSignedEntity(bundle)))
  checkSubject(statement, subject)
  checkPredicate(membersOf(statement['predicate']), build)
  return build
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
function checkPredicate(predicate: Members, { repository, commit }: BuildFacts): void {
  const { source, digest } = sourceOf(predicate)
  const said = source.replace(/^git\+/, '').replace(/@refs\/.*$/, '')
  if (said.toLowerCase() !== repository.toLowerCase())
    throw new Broken('it names another repository than its certificate')
  if (digest !== commit) throw new Broken('it names another commit than its certificate')
}

function sourceOf(predicate: Members): { readonly source: string; readonly digest: string } {
  const definition = predicate['buildDefinition']
  if (definition === undefined) {
    const { uri, digest } = membersOf(membersOf(predicate['invocation'])['configSource'])
    return { source: String(uri), digest: String(membersOf(digest)['sha1']) }
  }
  const { externalParameters, resolvedDependencies } = membersOf(definition)
  const { repository } = membersOf(membersOf(externalParameters)['workflow'])
  const [first] = Array.isArray(resolvedDependencies) ? resolvedDependencies : []
  return {
    source: String(repository),
    digest: String(membersOf(membersOf(first)['digest'])['gitCommit']),
  }
}

function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Broken('its statement is not what it should be')
  return value as Members
}

/** The library's code where it has one; what it says may quote the attestation. */
function wordsOf(error: unknown): string {
  if (error instanceof Broken) return error.message
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  const words = [code, message].filter(each => typeof each === 'string').join(': ')
  return words.replace(/[^\x20-\x7e]/g, ' ').slice(0, longestWhy)
}
