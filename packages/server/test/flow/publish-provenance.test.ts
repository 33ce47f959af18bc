// SPDX-License-Identifier: Apache-2.0
/** Publishing with provenance: what a bundle must prove before anything is kept, and what is kept and served of it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type Digest, decodeLeaf, type PackageName, problem, type Version } from '@holdfast/core'
import {
  addPublisher,
  addSource,
  holdLevel,
  lowerTrust,
  readTrust,
  recheckSources as recheckNow,
  removeSource,
} from '../../src/flow/index.ts'
import { authorize, operator, toPerson } from '../../src/identity/index.ts'
import { openVerifier, verifyBundle } from '../../src/integrity/provenance.ts'
import { openCiIssuer } from '../ci-issuer.ts'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { type Build, openSigstoreBox, publicAuthority, type SigstoreBox } from '../sigstore-box.ts'
import { type Json, openWorld, type Reply, type Someone, type World, whence } from '../world.ts'

let world: World
/** An organisation's own Sigstore, and one that stands for the public one. */
let box: SigstoreBox
let open: SigstoreBox
let ada: Someone
let serial = 0
let name = ''

before(async () => {
  ;[box, open] = await Promise.all([openSigstoreBox(), openSigstoreBox(publicAuthority)])
  world = await openWorld({ sigstoreTrustRoot: `${box.rootFile}, ${open.rootFile}` })
  world.advance(Date.now() - world.now())
  ada = await world.someone('ada')
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})
beforeEach(() => {
  serial += 1
  name = `built-${serial}`
})

const repository = 'git+https://github.com/acme/widget.git'

interface Wish extends Partial<Build> {
  readonly from?: SigstoreBox
  readonly manifest?: Record<string, unknown>
  readonly token?: string
  readonly access?: 'public' | 'restricted'
  /** What stands in the attachment instead. */
  bundle?(bundle: string): string
  /** The attachment's name instead. */
  readonly file?: string
}

/** Publishes as `npm publish --provenance-file` does. */
async function publish(version: string, wish: Wish = {}): Promise<Reply> {
  const manifest = wish.manifest ?? { repository }
  const tarball = packPackage({ name, version, ...manifest })
  const digest = createHash('sha512').update(tarball).digest('hex')
  const document: Json = publishDocument(name, version, {
    tarball,
    manifest,
    ...(wish.access && { access: wish.access }),
  })
  const made = await (wish.from ?? box).sign({ name, version, digest, ...wish })
  const data = wish.bundle?.(made) ?? made
  document._attachments[wish.file ?? `${name}-${version}.sigstore`] = {
    content_type: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    data,
    length: data.length,
  }
  return world.npm(`PUT /${name.replace('/', '%2f')}`, { token: wish.token ?? ada.token, body: document })
}

async function passes(version: string, wish: Wish = {}): Promise<void> {
  const reply = await publish(version, wish)
  assert.equal(reply.status, 201, reply.text)
}

/** Nothing of it is there afterwards, not even the name. */
async function isRefused(wish: Wish, code: string, why: RegExp): Promise<void> {
  const reply = await publish('1.0.0', wish)
  assert.equal(reply.body.code, code, reply.text)
  assert.match(reply.body.error, why)
  assert.equal((await world.npm(`GET /${name}`, { token: ada.token })).status, 404)
}

test('a bundle that holds is kept as it was sent, named by the leaf, and served', async () => {
  let sent = ''
  await passes('1.0.0', {
    bundle(made) {
      sent = JSON.stringify(JSON.parse(made), undefined, 1)
      return sent
    },
  })
  const kept = await world.ports.store.trust.findProvenance(name as PackageName, '1.0.0' as Version)
  const sha256 = createHash('sha256').update(sent).digest('hex')
  assert.deepEqual([kept?.text, kept?.sha256, kept?.isPublic], [sent, sha256, false])
  assert.equal(kept?.build.repository, 'https://github.com/acme/widget')
  const events = await world.ports.store.events.ofPackage(name as PackageName)
  const leaf = decodeLeaf(events.find(({ type }) => type === 'publish')?.leaf ?? '')
  assert.deepEqual(leaf['attest'], [{ type: 'https://slsa.dev/provenance/v1', sha256 }])
  for (const path of ['/-/npm/v1/attestations', '/-/attestations/v1']) {
    const reply = await world.npm(`GET ${path}/${name}@1.0.0`)
    assert.deepEqual(reply.body, {
      attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle: JSON.parse(sent) }],
    })
    assert.ok(reply.text.includes(sent))
  }
})

test('only what every npm can verify is promised in documents', async () => {
  const promised = async () => (await world.document(name)).versions['1.0.0'].dist.attestations
  await passes('1.0.0')
  assert.equal(await promised(), undefined)
  name = '@acme/open'
  await passes('1.0.0', { from: open })
  assert.deepEqual(await promised(), {
    url: `${world.ports.config.publicUrl}/npm/-/npm/v1/attestations/@acme%2fopen@1.0.0`,
    provenance: { predicateType: 'https://slsa.dev/provenance/v1' },
  })
})

const other = '0'.repeat(128)

/** Something at a path of the statement, or of the bundle, set to something else. */
function changed(of: 'statement' | 'bundle', path: string, value: (before: Json) => unknown): Wish {
  const change = (said: Json) => {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    const inside = keys.reduce((each, key) => each[key], said)
    inside[last] = value(inside[last])
  }
  return { change: { [of]: change } }
}

const upper = (text: string) => text.toUpperCase()
const definition = 'predicate.buildDefinition'
const refused: readonly [string, Wish, RegExp][] = [
  ['another version', { version: '1.0.1' }, /another package or version/],
  ['another package', { name: 'built' }, /another package or version/],
  ['another tarball', { digest: other }, /other bytes/],
  ['two subjects', changed('statement', 'subject', ([one]) => [one, one]), /not about one thing/],
  ['a purl in capitals', changed('statement', 'subject.0.name', upper), /another package/],
  ['a digest in capitals', changed('statement', 'subject.0.digest.sha512', upper), /bytes/],
  ['another predicate', changed('statement', 'predicateType', each => `${each}0`), /no provenance/],
  [
    'a predicate with another repository',
    changed('statement', `${definition}.externalParameters.workflow.repository`, each => `${each}-evil`),
    /another repository than its certificate/,
  ],
  [
    'a predicate with another commit',
    changed('statement', `${definition}.resolvedDependencies.0.digest.gitCommit`, () => 'b'.repeat(40)),
    /another commit than its certificate/,
  ],
  [
    'a predicate with another ref',
    changed('statement', `${definition}.externalParameters.workflow.ref`, () => 'refs/heads/next'),
    /another ref than its certificate/,
  ],
  [
    'a predicate with another workflow',
    changed(
      'statement',
      `${definition}.externalParameters.workflow.path`,
      () => '.github/workflows/evil.yml',
    ),
    /another workflow than its certificate/,
  ],
  ['an extension that is there twice', { extensions: [[15, '1002']] }, /names no source, or not clearly/],
  [
    'a key in place of a certificate',
    changed('bundle', 'verificationMaterial', ({ certificate: _, ...rest }) => ({
      ...rest,
      publicKey: { hint: 'SHA256:x' },
    })),
    /signed by a key/,
  ],
  ['no log entry', changed('bundle', 'verificationMaterial.tlogEntries', () => []), /./],
  ['a build that strangers set off', { claims: { event_name: 'pull_request_target' } }, /strangers/],
  ['a private source in public', { claims: { repository_visibility: 'private' } }, /its source is private/],
  ['no JSON', { bundle: () => '{"mediaType"' }, /not JSON/],
  ['a broken character', { bundle: made => made.replace('{', '{"\ud800":1,') }, /not Unicode/],
  ['a bundle of 2 MB', { bundle: made => `${made}${' '.repeat(2 * 1024 * 1024)}` }, /larger than 1048576/],
  ['deep nesting', { bundle: () => '['.repeat(60_000) }, /deep/],
]
for (const [what, wish, why] of refused)
  test(`refused, and nothing is kept: ${what}`, () => isRefused(wish, 'provenance-refused', why))

test('a bundle of another Sigstore than those that count is refused', async () => {
  await isRefused({ from: await openSigstoreBox() }, 'provenance-refused', /CERTIFICATE|TLOG|TIMESTAMP|no /i)
})

test('an old bundle is refused, however good it was', async () => {
  world.advance(61 * 60_000)
  try {
    await isRefused({}, 'provenance-old', /longer than 60 minutes ago/)
  } finally {
    world.advance(-61 * 60_000)
  }
})

test('a bundle under another name than the tarball, and a second one, are refused', async () => {
  const reply = await publish('1.0.0', { file: `${name}-1.0.1.sigstore` })
  assert.equal(reply.body.code, 'invalid-body', reply.text)
})

test('whoever declares another repository is told, and published all the same', async () => {
  const told = async (declared: unknown, version: string) => {
    const reply = await publish(version, { manifest: declared === undefined ? {} : { repository: declared } })
    assert.equal(reply.status, 201, reply.text)
    return reply.headers.get('npm-notice') ?? ''
  }
  assert.equal(await told(repository, '1.0.0'), '')
  assert.equal(await told('github:Acme/widget', '1.0.1'), '')
  assert.match(
    await told('github:acme/else', '1.0.2'),
    /built from https:\/\/github.com\/acme\/widget; package.json/,
  )
  assert.match(await told(undefined, '1.0.3'), /no repository/)
})

test('without a trust root nobody verifies, and what nobody verifies is not published', async () => {
  const bare = await openWorld()
  try {
    const eve = await bare.someone('eve')
    const document: Json = publishDocument(name, '1.0.0')
    document._attachments[`${name}-1.0.0.sigstore`] = { content_type: 'x', data: '{}', length: 2 }
    const reply = await bare.npm(`PUT /${name}`, { token: eve.token, body: document })
    assert.equal(reply.body.code, 'provenance-unverifiable')
    assert.match(reply.body.error, /no trust root is configured.*--no-provenance/)
  } finally {
    await bare.close()
  }
})

test('a CI job publishes what it built itself: a bundle of another run, workflow or commit is refused', async () => {
  const jobs = await openCiIssuer()
  const ci = await openWorld({
    sigstoreTrustRoot: box.rootFile,
    ciIssuers: `github=${jobs.url}`,
    allowPrivateHosts: '127.0.0.1',
  })
  ci.advance(Date.now() - ci.now())
  const main = world
  world = ci
  try {
    const bob = await ci.someone('bob')
    await ci.publish(bob, name, '0.9.0')
    const account = await ci.ports.store.identity.findAccount(bob.id)
    assert.ok(account !== undefined)
    const session = { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER } as const
    await addPublisher(ci.ports, toPerson(account, session, whence), name as PackageName, {
      provider: 'github',
      rule: { repository: 'acme/widget', workflow: 'publish.yml' },
      permissions: ['createPackage'],
    })
    const byJob = async (version: string, wish: Wish) => {
      const proof = await jobs.github(ci)
      const path = `POST /-/npm/v1/oidc/token/exchange/package/${name}`
      const { body } = await ci.ask(path, { token: proof })
      return publish(version, { ...wish, token: body.token, claims: { iss: jobs.url, ...wish.claims } })
    }
    const others: readonly [string, Record<string, string>][] = [
      ['run', { run_id: '4712' }],
      ['run', { run_attempt: '2' }],
      ['commit', { sha: 'b'.repeat(40) }],
      ['repository id', { repository_id: '1002' }],
      ['owner id', { repository_owner_id: '78' }],
      ['ref', { ref: 'refs/heads/next' }],
      ['issuer', { iss: 'https://token.actions.githubusercontent.com' }],
      ['workflow', { workflow_ref: 'acme/widget/.github/workflows/test.yml@refs/heads/main' }],
    ]
    for (const [what, claims] of others) {
      const reply = await byJob('1.0.0', { claims })
      assert.equal(
        reply.body.code,
        what === 'ref' ? 'provenance-refused' : 'provenance-other-run',
        reply.text,
      )
      if (what !== 'ref') assert.ok(reply.body.error.includes(`its ${what} differs`), reply.text)
    }
    const reply = await byJob('1.0.0', {})
    assert.equal(reply.status, 201, reply.text)
    await ci.check()
  } finally {
    world = main
    await ci.close()
    await jobs.close()
  }
})

test('once built from a repository, always: a token alone, or another repository, publishes no more', async () => {
  await passes('1.0.0')
  const plain = async (version: string, tag = 'latest') =>
    world.npm(`PUT /${name}`, { token: ada.token, body: publishDocument(name, version, { tag }) })
  for (const [version, tag] of [
    ['1.0.1', 'latest'],
    ['2.0.0-beta.1', 'next'],
    ['0.9.9', 'old'],
  ] as const) {
    const reply = await plain(version, tag)
    assert.equal(reply.body.code, 'trust-downgrade', reply.text)
    assert.match(reply.body.error, /earlier versions came with provenance, this one without.*72 hours/)
  }
  const fork = {
    repository: 'evil/widget',
    workflow_ref: 'evil/widget/.github/workflows/publish.yml@refs/heads/main',
  }
  const resurrected = await publish('1.0.1', { claims: { repository_id: '1002' } })
  assert.equal(resurrected.body.code, 'trust-downgrade', resurrected.text)
  const reply = await publish('1.0.1', { claims: { ...fork, repository_id: '666' } })
  assert.match(reply.body.error, /built from https:\/\/github.com\/evil\/widget, and earlier versions from/)
  await passes('1.0.1')
  assert.deepEqual(Object.keys((await world.document(name)).versions), ['1.0.0', '1.0.1'])
})

test('owners lower what versions must prove with a fresh second factor, and it counts three days later', async () => {
  await passes('1.0.0')
  const plain = (version: string) =>
    world.npm(`PUT /${name}`, { token: ada.token, body: publishDocument(name, version) })
  const pkg = name as PackageName
  const account = await world.ports.store.identity.findAccount(ada.id)
  assert.ok(account !== undefined)
  const at = (freshUntil: number) => toPerson(account, { kind: 'session', id: 's_1', freshUntil }, whence)
  await assert.rejects(lowerTrust(world.ports, at(0), pkg, 'none'), { code: 'presence-required' })
  const stranger = await world.someone('mallory')
  const other = await world.ports.store.identity.findAccount(stranger.id)
  assert.ok(other !== undefined)
  const session = { kind: 'session', id: 's_2', freshUntil: Number.MAX_SAFE_INTEGER } as const
  await assert.rejects(lowerTrust(world.ports, toPerson(other, session, whence), pkg, 'none'), {
    code: 'forbidden',
  })
  const owner = at(Number.MAX_SAFE_INTEGER)
  await assert.rejects(lowerTrust(world.ports, owner, pkg, 'source'), { code: 'trust-unchanged' })
  await lowerTrust(world.ports, owner, pkg, 'none')
  world.advance(71 * 3600_000)
  assert.equal((await plain('1.0.1')).body.code, 'trust-downgrade')
  await holdLevel(world.ports, owner, pkg)
  world.advance(2 * 3600_000)
  assert.equal((await plain('1.0.1')).body.code, 'trust-downgrade')
  await lowerTrust(world.ports, owner, pkg, 'none')
  world.advance(73 * 3600_000)
  assert.equal((await plain('1.0.1')).status, 201)
  const events = await world.ports.store.events.ofPackage(pkg)
  const ops = events.filter(({ type }) => type === 'policy').map(({ leaf }) => decodeLeaf(leaf ?? '')['op'])
  assert.deepEqual(ops, ['raise', 'lower', 'hold', 'lower', 'raise'])
  world.advance(Date.now() - world.now())
})

test('a package that moves says its new repository before, and both count', async () => {
  await passes('1.0.0')
  const pkg = name as PackageName
  const account = await world.ports.store.identity.findAccount(ada.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER } as const
  const owner = toPerson(account, session, whence)
  const issuer = 'https://token.actions.githubusercontent.com'
  const moved = {
    repository: 'new/widget',
    repository_id: '5005',
    repository_owner_id: '9',
    workflow_ref: 'new/widget/.github/workflows/publish.yml@refs/heads/main',
  }
  const add = (repository: string, from = issuer) =>
    addSource(world.ports, owner, pkg, { repository, issuer: from })
  for (const wrong of ['ftp://git.example/a', 'https://github.com/acme/widget', 'new/widget', ''])
    await assert.rejects(add(wrong), { code: 'trust-unchanged' }, wrong)
  await assert.rejects(add('https://github.com/new/widget', 'https://ci.example'), {
    code: 'trust-unchanged',
  })
  await add('https://github.com/new/widget')
  assert.equal((await publish('1.0.1', { claims: moved })).body.code, 'trust-downgrade')
  const started = world.now()
  world.advance(73 * 3600_000)
  const trust = await readTrust(world.ports, owner, pkg)
  assert.equal(trust.sources.length, 2)
  await removeSource(world.ports, owner, pkg, 'https://github.com/acme/widget')
  await assert.rejects(removeSource(world.ports, owner, pkg, 'https://github.com/new/widget'), {
    code: 'trust-unchanged',
  })
  world.advance(started - world.now())
})

test('a bundle that takes longer to verify than it may is refused, and holds up nobody for ever', async () => {
  const subject = {
    name: name as PackageName,
    version: '1.0.0' as Version,
    digest: '0'.repeat(128) as Digest,
  }
  const job = { text: '{}', subject, rootFiles: [box.rootFile] }
  // No thread starts within a millisecond.
  assert.deepEqual(await verifyBundle(job, openVerifier(1)), {
    kind: 'broken',
    why: 'it takes more time or memory to verify than it may',
  })
})

test('one signature counts for one version: whoever found a bundle cannot bring it again', async () => {
  await passes('1.0.0')
  const { store } = world.ports
  const pkg = name as PackageName
  const kept = await store.trust.findProvenance(pkg, '1.0.0' as Version)
  assert.ok(kept !== undefined)
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  const event = { type: 'case', pkg } as const
  const again = store.commit(grant, event, tx => tx.trust.addProvenance(pkg, '1.0.1' as Version, kept))
  await assert.rejects(again, { code: 'provenance-refused' })
})

test('a public repository is asked once a week whether it is there, where the operator wants that', async () => {
  const lost = 'acme/lost'
  const workflow = `${lost}/.github/workflows/publish.yml@refs/heads/main`
  await passes('1.0.0', { claims: { repository: lost, workflow_ref: workflow } })
  const asked: string[] = []
  let status = 404
  const { config, store, clock } = world.ports
  const recheck = (recheckSources: 'off' | 'weekly', at: number) =>
    recheckNow({
      config: { ...config, recheckSources },
      store,
      clock: () => at,
      outbound: {
        async ask({ url, method }) {
          asked.push(`${method} ${url}`)
          if (status === 0) throw problem('remote-failed', { host: 'github.com', why: 'it is down' })
          return { status, headers: {}, bytes: new Uint8Array() }
        },
        open: world.ports.outbound.open,
      },
    })
  const gone = async () => (await store.sourceLinks.find(`https://github.com/${lost}`))?.goneSince
  const week = 7 * 24 * 3600_000
  const now = clock()
  await recheck('off', now + 2 * week)
  await recheck('weekly', now + week - 3600_000)
  assert.equal(asked.length, 0)
  await recheck('weekly', now + week + 3600_000)
  assert.ok(asked.includes(`HEAD https://github.com/${lost}`))
  assert.equal(await gone(), now + week + 3600_000)
  const { body } = await world.ask(`GET /api/v1/provenance/npm/${name}/1.0.0`)
  assert.equal(body.sourceGoneSince, now + week + 3600_000)
  const page = await world.ask(`GET /package/npm/${name}?show=security`)
  assert.match(page.text, /source gone.*nothing is found at that address/s)
  status = 0
  await recheck('weekly', now + 3 * week)
  assert.equal(await gone(), now + week + 3600_000)
  status = 301
  await recheck('weekly', now + 5 * week)
  assert.equal(await gone(), null)
  // What is no web address is asked of nobody, and holds nobody up.
  await store.sourceLinks.note({ repository: 'no address', checkedAt: 0, goneSince: null })
  await store.sourceLinks.note({ repository: 'file:///etc/passwd', checkedAt: 0, goneSince: null })
  asked.length = 0
  await recheck('weekly', now + 7 * week)
  assert.ok(asked.length > 0 && asked.every(each => each.startsWith('HEAD https://')))
})
