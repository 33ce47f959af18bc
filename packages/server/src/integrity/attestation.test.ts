// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Digest, PackageName, Version } from '@holdfast/core'
import fc from 'fast-check'
import { checkAttestations, readAttestations, readTrustRoot } from './attestation.ts'
import { readBuild } from './build-certificate.ts'
import type { ProvenanceFinding, ProvenanceSubject } from './provenance.ts'

const folder = new URL('../../test/fixture/sigstore/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
const rootText = read('trusted_root.json')
const root = readTrustRoot(rootText, 'f'.repeat(64))
const gundam: ProvenanceSubject = {
  name: 'gundam-visor' as PackageName,
  version: '1.0.1' as Version,
  digest:
    '8d9d7972f676516c75014aa074e11ae604d98f0b64ec6725a61e2838ff3dab162118fa71433fb31e1550d30bd0dec9d086ce032b94457b583900c507acf39c40' as Digest,
}

// biome-ignore lint/suspicious/noExplicitAny: tests change whatever there is
type Json = any

function check(text: string, subject: ProvenanceSubject): ProvenanceFinding {
  return checkAttestations(readAttestations(text) ?? [], subject, [root])
}

/** The document with something of its provenance changed. */
function changed(change: (attestation: Json, document: Json) => void): string {
  const document = JSON.parse(read('slsa-v1.json'))
  const at = document.attestations.findIndex((each: Json) => each.predicateType.includes('slsa'))
  change(document.attestations[at], document)
  return JSON.stringify(document)
}

/** What its own statement is about. */
function subjectOf(file: string): ProvenanceSubject {
  const { attestations } = JSON.parse(read(file))
  const { payload } = attestations.find((each: Json) => each.predicateType.includes('slsa')).bundle
    .dsseEnvelope
  const [{ name, digest }] = JSON.parse(Buffer.from(payload, 'base64').toString()).subject
  const [, said = '', version = ''] = /^pkg:npm\/(.+)@(.+)$/.exec(name) ?? []
  return {
    name: said.replace('%40', '@') as PackageName,
    version: version as Version,
    digest: digest.sha512,
  }
}

test('provenance that a build signed is verified, and its certificate says from where', () => {
  const repository = 'https://github.com/ramonpetgrave64/gundam-visor'
  assert.deepEqual(check(read('slsa-v1.json'), gundam), {
    kind: 'verified',
    root: root.digest,
    build: {
      repository,
      commit: '599500821344b070902a7a5666064bfdaba715df',
      ref: 'refs/tags/v1.0.1',
      workflow: `${repository}/.github/workflows/npm-publish.yml@refs/tags/v1.0.1`,
      issuer: 'https://token.actions.githubusercontent.com',
      builder: '',
      runner: 'github-hosted',
      repositoryId: '810002373',
      ownerId: '32398091',
      trigger: 'release',
      run: `${repository}/actions/runs/9358004112/attempts/1`,
      visibility: 'public',
      environment: '',
    },
  })
})

for (const [file, repository, builder] of [
  ['slsa-v02.json', 'https://github.com/trishankatdatadog/supreme-goggles', ''],
  ['early-certificate.json', 'https://github.com/theupdateframework/tuf-js', ''],
  [
    'reusable-builder.json',
    'https://github.com/laurentsimon/provenance-npm-test',
    'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_lowperms-generic_slsa3.yml@refs/tags/v1.6.0',
  ],
] as const)
  test(`${file} is verified, with what its certificate names`, () => {
    const found = check(read(file), subjectOf(file))
    assert.ok(found.kind === 'verified', JSON.stringify(found))
    assert.deepEqual([found.build.repository, found.build.builder], [repository, builder])
  })

const others: readonly [string, Partial<ProvenanceSubject>][] = [
  ['another package', { name: 'gundam' as PackageName }],
  ['another version', { version: '1.0.2' as Version }],
  ['other bytes', { digest: '0'.repeat(128) as Digest }],
]
for (const [what, other] of others)
  test(`provenance that holds is broken for ${what}`, () => {
    const found = check(read('slsa-v1.json'), { ...gundam, ...other })
    assert.ok(found.kind === 'broken' && found.why.startsWith('it is about'), JSON.stringify(found))
  })

const tampered: readonly [string, (attestation: Json, document: Json) => void, RegExp][] = [
  [
    'a statement that was changed',
    ({ bundle }) => {
      const { dsseEnvelope } = bundle
      const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString()
      dsseEnvelope.payload = Buffer.from(statement.replace('refs/tags', 'refs/TAGS')).toString('base64')
    },
    /TLOG_BODY_ERROR/,
  ],
  [
    'a signature with one bit changed',
    ({ bundle }) => {
      const [signature] = bundle.dsseEnvelope.signatures
      const bytes = Buffer.from(signature.sig, 'base64')
      bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
      signature.sig = bytes.toString('base64')
    },
    /TLOG_BODY_ERROR/,
  ],
  [
    'no entry in the transparency log',
    ({ bundle }) => {
      bundle.verificationMaterial.tlogEntries = []
    },
    /./,
  ],
  [
    'another time in its log entry',
    ({ bundle }) => {
      bundle.verificationMaterial.tlogEntries[0].integratedTime = '1700000000'
    },
    /./,
  ],
  [
    'a key in place of a certificate',
    ({ bundle }) => {
      bundle.verificationMaterial = {
        ...bundle.verificationMaterial,
        x509CertificateChain: undefined,
        certificate: undefined,
        publicKey: { hint: 'SHA256:x' },
      }
    },
    /signed by a key/,
  ],
  [
    'two signatures',
    ({ bundle }) => bundle.dsseEnvelope.signatures.push(bundle.dsseEnvelope.signatures[0]),
    /./,
  ],
  [
    'another list name than its statement',
    attestation => {
      attestation.predicateType = 'https://slsa.dev/provenance/v0.2'
    },
    /listed as/,
  ],
  [
    'a name that hides it',
    attestation => {
      attestation.predicateType = 'https://slsa.dev/provenanc/v1'
    },
    /none of them/,
  ],
  [
    'the good one twice, changed once',
    (attestation, document) => {
      const copy = structuredClone(attestation)
      copy.bundle.dsseEnvelope.signatures[0].sig = Buffer.alloc(70, 1).toString('base64')
      document.attestations.push(copy)
    },
    /./,
  ],
  [
    'a thousand attestations',
    (attestation, document) => {
      document.attestations = Array.from({ length: 1000 }, () => attestation)
    },
    /too many/,
  ],
]
for (const [what, change, why] of tampered)
  test(`broken: ${what}`, () => {
    const found = check(changed(change), gundam)
    assert.ok(found.kind === 'broken', JSON.stringify(found))
    assert.match(found.why, why)
  })

test('under another root the same provenance is broken', () => {
  const other = JSON.parse(rootText)
  other.certificateAuthorities = other.certificateAuthorities.slice(0, 0)
  const found = checkAttestations(readAttestations(read('slsa-v1.json')) ?? [], gundam, [
    readTrustRoot(JSON.stringify(other), 'e'.repeat(64)),
  ])
  assert.ok(found.kind === 'broken' && found.root === 'e'.repeat(64))
})

test('a root whose log has a key without a beginning is no root', () => {
  const other = JSON.parse(rootText)
  other.tlogs[0].publicKey.validFor = {}
  assert.throws(() => readTrustRoot(JSON.stringify(other), ''), /no beginning/)
  assert.throws(() => readTrustRoot('{"tlogs":[]}', ''))
})

test("somebody's error page is no attestation, and proves nothing", () => {
  for (const text of ['<html>', '', '[]', 'null', '{}', '{"attestations":{}}', '{"attestations":[1]}'])
    assert.equal(readAttestations(text), undefined, text)
})

test('whatever bytes of a good document change, the answer is never another build, and nothing is thrown', () => {
  const good = read('slsa-v1.json')
  const verified = JSON.stringify(check(good, gundam))
  const change = fc.record({
    at: fc.nat(good.length - 1),
    length: fc.integer({ min: 0, max: 40 }),
    by: fc.string({ maxLength: 8 }),
  })
  fc.assert(
    fc.property(change, ({ at, length, by }) => {
      const text = good.slice(0, at) + by + good.slice(at + length)
      const found = readAttestations(text) && check(text, gundam)
      if (found?.kind === 'verified') assert.equal(JSON.stringify(found), verified)
    }),
    { numRuns: 120 },
  )
})

test("a certificate's values are read exactly: twice the same, a wrong length or a control character count for nothing", () => {
  const utf8 = (text: string) => Buffer.concat([Buffer.from([0x0c, text.length]), Buffer.from(text)])
  const told: Record<number, string> = { 8: 'https://ci.example', 12: 'https://git.example/a', 13: 'c0ffee' }
  const extensions = (more: Record<number, Buffer> = {}) =>
    Object.entries<Buffer>({
      ...Object.fromEntries(Object.entries(told).map(([n, t]) => [n, utf8(t)])),
      ...more,
    }).map(([n, value]) => ({ oid: `1.3.6.1.4.1.57264.1.${n}`, value }))
  assert.equal(readBuild(extensions(), '')?.repository, 'https://git.example/a')
  const twice = [...extensions(), { oid: '1.3.6.1.4.1.57264.1.12', value: utf8('https://git.example/b') }]
  assert.equal(readBuild(twice, ''), undefined)
  for (const value of [
    Buffer.from('https://git.example/a'),
    Buffer.concat([utf8('https://git.example/a'), Buffer.from('b')]),
    utf8('https://git.example/a\n'),
    utf8(''),
  ])
    assert.equal(readBuild(extensions({ 12: value }), ''), undefined)
})

test('a certificate for a mailbox is no build', () => {
  const value = Buffer.from('https://accounts.example')
  assert.equal(readBuild([{ oid: '1.3.6.1.4.1.57264.1.1', value }], 'somebody@mail.example'), undefined)
})
