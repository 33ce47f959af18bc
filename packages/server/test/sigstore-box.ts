// SPDX-License-Identifier: Apache-2.0
/** A Sigstore of one's own: an authority for builds, its certificate log, and a transparency log, with throw-away keys. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackage } from './fixture/tarball.ts'
import { publishDocument } from './live.ts'

/** What a test changes of a statement, a bundle or a certificate. */
// biome-ignore lint/suspicious/noExplicitAny: tests change whatever there is
type Json = any

/** A build whose provenance is made. */
export interface Build {
  readonly name: string
  readonly version: string
  /** SHA-512 in hex. */
  readonly digest: string
  /** Claims of the job's identity token, over those of `job`. */
  readonly claims?: Readonly<Record<string, string>>
  /** One more extension, or others, of the certificate: `[number, value]`. */
  readonly extensions?: readonly (readonly [number, string])[]
  readonly change?: {
    statement?(statement: Json): void
    bundle?(bundle: Json): void
  }
}

export interface SigstoreBox {
  /** The trusted root as Sigstore writes it. */
  readonly trustedRoot: Json
  readonly certificateAuthority: CertificateAuthority
  readonly log: TransparencyLog
  /** A file with that root. */
  readonly rootFile: string
  /** A bundle as npm attaches it. */
  sign(build: Build): Promise<string>
}

export interface CertificateAuthority {
  readonly rootCertificate: Uint8Array
  issueCertificate(wish: {
    publicKey: Uint8Array
    subjectAltName: string
    extensions: readonly { oid: string; value: string; legacy?: boolean }[]
  }): Promise<Uint8Array>
}

export interface TransparencyLog {
  readonly publicKey: Buffer
  log(entry: object): Promise<Readonly<Record<string, Json>>>
}

/** Of `@sigstore/mock` what is used here: its own types lean on packages that it does not bring. */
interface Mock {
  initializeCTLog(keys: KeyPair): Promise<{ readonly publicKey: Buffer }>
  initializeCA(keys: KeyPair, log: object): Promise<CertificateAuthority>
  initializeTLog(url: string, keys: KeyPair): Promise<TransparencyLog>
}

interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const prefix = '1.3.6.1.4.1.57264.1.'
const git = 'https://github.com'
export const publicAuthority = 'https://fulcio.sigstore.dev'

/** What a job of `acme/widget` is, in GitHub's claims. */
export const job: Readonly<Record<string, string>> = {
  iss: 'https://token.actions.githubusercontent.com',
  repository: 'acme/widget',
  repository_id: '1001',
  repository_owner_id: '77',
  repository_visibility: 'public',
  workflow_ref: 'acme/widget/.github/workflows/publish.yml@refs/heads/main',
  job_workflow_ref: 'acme/widget/.github/workflows/publish.yml@refs/heads/main',
  ref: 'refs/heads/main',
  sha: 'a'.repeat(40),
  event_name: 'push',
  runner_environment: 'github-hosted',
  run_id: '4711',
  run_attempt: '1',
}

/** Opens one; `authority` is the address that its trusted root gives its authority: the public one's makes it that. */
export async function openSigstoreBox(authority = 'https://fulcio.example'): Promise<SigstoreBox> {
  const name: string = '@sigstore/mock'
  const mock = (await import(name)) as Mock
  const keys = { ct: newKeys(), ca: newKeys(), log: newKeys() }
  const certificateLog = await mock.initializeCTLog(keys.ct)
  const certificateAuthority = await mock.initializeCA(keys.ca, certificateLog)
  const log = await mock.initializeTLog('https://rekor.example', keys.log)
  const trustedRoot = rootOf(authority, certificateAuthority, log.publicKey, certificateLog.publicKey)
  const rootFile = join(await mkdtemp(join(tmpdir(), 'holdfast-sigstore-')), 'trusted_root.json')
  await writeFile(rootFile, JSON.stringify(trustedRoot))
  return {
    ...{ trustedRoot, certificateAuthority, log, rootFile },
    sign: build => signBuild(certificateAuthority, log, build),
  }
}

function newKeys(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function rootOf(uri: string, ca: CertificateAuthority, log: Buffer, certificateLog: Buffer): Json {
  const validFor = { start: new Date(Date.now() - 3600_000).toISOString() }
  const instance = (key: Buffer, baseUrl: string) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: createHash('sha256').update(key).digest('base64') },
  })
  const certificate = { rawBytes: Buffer.from(ca.rootCertificate).toString('base64') }
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [instance(log, 'https://rekor.example')],
    ctlogs: [instance(certificateLog, 'https://ctfe.example')],
    certificateAuthorities: [
      {
        subject: { organization: 'box', commonName: 'box' },
        uri,
        certChain: { certificates: [certificate] },
        validFor,
      },
    ],
    timestampAuthorities: [],
  }
}

/** The extensions that Fulcio makes of a token's claims. */
export function extensionsOf(claims: Readonly<Record<string, string>>): (readonly [number, string])[] {
  const { repository, run_id: run, run_attempt: attempt } = claims
  const values: (readonly [number, string | undefined])[] = [
    [8, claims['iss']],
    [9, `${git}/${claims['job_workflow_ref']}`],
    [11, claims['runner_environment']],
    [12, `${git}/${repository}`],
    [13, claims['sha']],
    [14, claims['ref']],
    [15, claims['repository_id']],
    [17, claims['repository_owner_id']],
    [18, `${git}/${claims['workflow_ref']}`],
    [20, claims['event_name']],
    [21, `${git}/${repository}/actions/runs/${run}/attempts/${attempt}`],
    [22, claims['repository_visibility']],
  ]
  return values.flatMap(([n, value]) => (value === undefined ? [] : [[n, value] as const]))
}

/** The statement that npm makes on GitHub. */
function statementOf({ name, version, digest }: Build, claims: Readonly<Record<string, string>>): Json {
  const repository = `${git}/${claims['repository']}`
  const path = claims['workflow_ref']?.slice(`${claims['repository']}/`.length).split('@')[0]
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `pkg:npm/${name.replace('@', '%40')}@${version}`, digest: { sha512: digest } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1',
        externalParameters: { workflow: { ref: claims['ref'], repository, path } },
        resolvedDependencies: [
          { uri: `git+${repository}@${claims['ref']}`, digest: { gitCommit: claims['sha'] } },
        ],
      },
      runDetails: { builder: { id: 'https://github.com/actions/runner/github-hosted' } },
    },
  }
}

async function signBuild(ca: CertificateAuthority, log: TransparencyLog, build: Build): Promise<string> {
  const claims = { ...job, ...build.claims }
  const { privateKey, publicKey } = newKeys()
  const extensions = [...extensionsOf(claims), ...(build.extensions ?? [])]
  const certificate = Buffer.from(
    await ca.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: `${git}/${claims['job_workflow_ref']}`,
      extensions: extensions.map(([n, value]) => ({ oid: `${prefix}${n}`, value })),
    }),
  )
  const statement = statementOf(build, claims)
  build.change?.statement?.(statement)
  const payload = Buffer.from(JSON.stringify(statement))
  const type = 'application/vnd.in-toto+json'
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
  const envelope = {
    payload: payload.toString('base64'),
    payloadType: type,
    signatures: [{ sig: sign('sha256', signed, privateKey).toString('base64'), keyid: '' }],
  }
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: certificate.toString('base64') },
      tlogEntries: [await logEnvelope(log, envelope, certificate)],
    },
    dsseEnvelope: envelope,
  }
  build.change?.bundle?.(bundle)
  return JSON.stringify(bundle)
}

interface Envelope {
  readonly payload: string
  readonly signatures: readonly { readonly sig: string }[]
}

/** The canonical entry of Rekor's kind `dsse`. */
export function dsseEntry(envelope: Envelope, certificate: string): object {
  const sha256 = (bytes: string | Buffer) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  })
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: sha256(JSON.stringify(envelope)),
      payloadHash: sha256(Buffer.from(envelope.payload, 'base64')),
      signatures: envelope.signatures.map(({ sig }) => ({
        signature: sig,
        verifier: Buffer.from(certificate).toString('base64'),
      })),
    },
  }
}

async function logEnvelope(log: TransparencyLog, envelope: Envelope, certificate: Buffer): Promise<Json> {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  const [entry] = Object.values(await log.log(dsseEntry(envelope, pem)))
  const { inclusionProof: proof, signedEntryTimestamp } = entry.verification
  const hex = (text: string) => Buffer.from(text, 'hex').toString('base64')
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: hex(entry.logID) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(proof.logIndex),
      rootHash: hex(proof.rootHash),
      treeSize: String(proof.treeSize),
      hashes: proof.hashes.map(hex),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: entry.body,
  }
}

/** The document that npm puts to publish a version with provenance of `acme/widget`, which it declares. */
export async function builtDocument(box: SigstoreBox, name: string, version: string): Promise<Json> {
  const manifest = { repository: 'github:acme/widget' }
  const tarball = packPackage({ name, version, ...manifest })
  const digest = createHash('sha512').update(tarball).digest('hex')
  const document: Json = publishDocument(name, version, { tarball, manifest })
  const data = await box.sign({ name, version, digest })
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  document._attachments[`${name}-${version}.sigstore`] = { content_type: type, data, length: data.length }
  return document
}
