// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { openCommandLine } from '../../test/command-line.ts'
import {
  ingested,
  integrityOf,
  type LogServer,
  makeSampleLog,
  origin,
  published,
  rotateKey,
  type SampleLog,
  serveLog,
} from '../../test/sample-log.ts'

const home = await mkdtemp(join(tmpdir(), 'holdfast-verify-'))
const stateFolder = join(home, 'state', 'holdfast', 'log')
const stored = join(stateFolder, `${encodeURIComponent(origin)}.checkpoint`)
let log: SampleLog
let server: LogServer
after(() => rm(home, { recursive: true }))
beforeEach(async () => {
  log = await makeSampleLog()
  log.add(published('@acme/widget', '1.0.0'))
  log.add(ingested('left-pad', '1.3.0'))
  log.add({ type: 'key', op: 'add', use: 'npm', keyid: 'SHA256:x' })
  server = await serveLog(log)
})
afterEach(async () => {
  server.close()
  await rm(join(home, 'state'), { recursive: true, force: true })
  await rm(join(home, 'config'), { recursive: true, force: true })
})

const commandLine = openCommandLine(home)
const holdfast = (...words: string[]) => commandLine({}, ...words)

const trust = () => holdfast('trust', 'init', server.url, '--root-sha256', server.trustDigest)
const verify = (...more: string[]) => holdfast('verify', '--registry', server.url, ...more)

/** The digest of each version; one of the log's own unless another is given. */
async function lock(versions: Readonly<Record<string, string | undefined>>): Promise<void> {
  const packages = Object.entries(versions).map(([spec, integrity]) => {
    const at = spec.lastIndexOf('@')
    return [`node_modules/${spec.slice(0, at)}`, { version: spec.slice(at + 1), integrity }]
  })
  await writeFile(
    join(home, 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(packages) }),
  )
}
const widget = { '@acme/widget@1.0.0': integrityOf('@acme/widget', '1.0.0') }
const leftPad = { 'left-pad@1.3.0': integrityOf('left-pad', '1.3.0') }

test('what a registry says of its log is pinned only under the digest that came another way', async () => {
  const unasked = await holdfast('trust', 'init', server.url)
  assert.equal(unasked.code, 2)
  assert.match(unasked.out, new RegExp(server.trustDigest))
  const other = await holdfast('trust', 'init', server.url, '--root-sha256', '0'.repeat(64))
  assert.equal(other.code, 3)
  const cut = await holdfast('trust', 'init', server.url, '--root-sha256', server.trustDigest.slice(0, 63))
  assert.equal(cut.code, 2)
  assert.match(cut.err, /is no SHA-256/)
  assert.equal((await holdfast('trust', 'show')).code, 2)
  await lock(widget)
  assert.match((await verify()).err, /nothing is pinned/)
  assert.equal((await trust()).code, 0)
  const shown = await holdfast('trust', 'show', '--json')
  assert.equal(JSON.parse(shown.out).sha256, server.trustDigest)
})

test('versions that were published here and taken from upstreams are verified, and the checkpoint is kept', async () => {
  await trust()
  await lock({ ...widget, ...leftPad })
  const { out, code, err } = await verify()
  assert.equal(code, 0, err)
  assert.match(out, /2 of 2 versions verified \(1 published here, 1 from upstreams\)/)
  assert.match(out, /No witness is asked for/)
  assert.equal(await readFile(stored, 'utf8'), await log.note())
  const json = JSON.parse((await verify('--json')).out)
  assert.deepEqual([json.size, json.versions.length], [3, 2])
  assert.equal((await verify('--fresh')).code, 1)
})

test('a digest that is not the published one, a version that is not in the log, and one without digest fail', async () => {
  await trust()
  await lock({
    '@acme/widget@1.0.0': integrityOf('evil', '1.0.0'),
    'unknown@1.0.0': integrityOf('unknown', '1.0.0'),
    'left-pad@1.3.0': undefined,
  })
  const { out, code } = await verify('--json')
  assert.equal(code, 1)
  const faults = Object.fromEntries(
    JSON.parse(out).versions.map((each: { name: string; faults: string[] }) => [each.name, each.faults[0]]),
  )
  assert.match(faults['@acme/widget'], /not the published bytes/)
  assert.match(faults['unknown'], /not in the log/)
  assert.match(faults['left-pad'], /no sha512/)
  await assert.rejects(readFile(stored))
})

test('what comes from another registry fails, unless this log has it or its scope is set to that registry', async () => {
  await trust()
  const there = (name: string, integrity: string) => ({
    version: '1.0.0',
    integrity,
    resolved: `https://other.example/${name}.tgz`,
  })
  const own = { 'node_modules/@acme/widget': there('widget', integrityOf('@acme/widget', '1.0.0')) }
  const foreign = there('foreign', integrityOf('foreign', '1.0.0'))
  const packages = { ...own, 'node_modules/@else/foreign': foreign }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  const refused = await verify()
  assert.equal(refused.code, 1)
  assert.match(refused.out, /FAILED @else\/foreign@1\.0\.0: it comes from another registry/)
  await writeFile(join(home, '.npmrc'), '@else:registry=https://other.example/\n')
  const { out, code } = await verify()
  await rm(join(home, '.npmrc'))
  assert.equal(code, 0)
  assert.match(out, /1 of 1 versions verified[\s\S]*\n1 come from other registries/)
  const forged = { 'node_modules/@acme/widget': there('widget', integrityOf('evil', '1.0.0')) }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages: forged }))
  assert.equal((await verify()).code, 1)
})

test('a poisoned lock file fails: repositories, plain http, another package under a name', async () => {
  await trust()
  const at = (resolved: string) => ({
    version: '1.0.0',
    integrity: integrityOf('@acme/widget', '1.0.0'),
    resolved,
  })
  const packages = {
    '': { dependencies: { lodash: '^4.0.0' } },
    'node_modules/from-git': at('git+ssh://git@git.example/a.git#abc'),
    'node_modules/plain': at('http://other.example/plain.tgz'),
    'node_modules/lodash': { ...at('https://registry.example/x.tgz'), name: '@acme/widget' },
  }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  const { out, code } = await verify()
  assert.equal(code, 1)
  assert.match(out, /FAILED from-git@1\.0\.0: it comes from a repository/)
  assert.match(out, /FAILED plain@1\.0\.0: it comes over plain http, from other\.example/)
  assert.match(out, /FAILED @acme\/widget@1\.0\.0: it stands where lodash was asked for/)
})

test('a lock file that is a link to itself is told and not followed', async () => {
  await trust()
  await symlink('loop.json', join(home, 'loop.json'))
  const { err, code } = await holdfast('verify', 'loop.json', '--registry', server.url)
  await rm(join(home, 'loop.json'))
  assert.equal(code, 2)
  assert.match(err, /loop\.json cannot be read/)
})

test('what happened to a version since it was locked is told, and one that is closed fails', async () => {
  await trust()
  log.add({ type: 'yank', pkg: '@acme/widget', ver: '1.0.0', reason: 'broken' })
  log.add({ type: 'quarantine', pkg: 'left-pad', ver: '1.3.0', reason: 'malware' })
  await server.show(log)
  await lock({ ...widget, ...leftPad })
  const { out, code } = await verify()
  assert.equal(code, 1)
  assert.match(out, /FAILED left-pad@1\.3\.0: quarantined on \S+ \(malware\)/)
  assert.match(out, /note {3}@acme\/widget@1\.0\.0: yanked on \S+ \(broken\)/)
  log.add({ type: 'release', pkg: 'left-pad', ver: '1.3.0', reason: 'other' })
  await server.show(log)
  assert.equal((await verify()).code, 0)
})

test('whoever makes a name owns it: only who comes later is told', async () => {
  await trust()
  const person = (id: string) => ({ subject: { kind: 'user', id }, role: 'owner' })
  const at = Date.now()
  log.add(published('made', '1.0.0', { at }))
  log.add({ type: 'owner', pkg: 'made', op: 'add', at, ...person('u_0001') })
  await server.show(log)
  await lock({ 'made@1.0.0': integrityOf('made', '1.0.0') })
  assert.doesNotMatch((await verify()).out, /owners changed/)
  log.add({ type: 'owner', pkg: 'made', op: 'add', at: at + 1, ...person('u_0002') })
  await server.show(log)
  assert.match((await verify()).out, /note {3}made@1\.0\.0: owners changed on/)
})

test('tarballs are held against the log where that is wished, and say what a lock file without sha512 cannot', async () => {
  await trust()
  await lock({ ...widget, 'left-pad@1.3.0': undefined })
  const bare = await verify()
  assert.equal(bare.code, 1)
  assert.match(bare.out, /FAILED left-pad@1\.3\.0: the lock file has no sha512.*\n.*yarn 2.*--tarballs/)
  const fetched = await verify('--tarballs')
  assert.equal(fetched.code, 0, fetched.out)
  assert.match(
    fetched.out,
    /note {3}left-pad@1\.3\.0:.*the bytes that the registry gives now are those of its log/,
  )
  server.lie('/npm/@acme/widget/-/widget-1.0.0.tgz', () => 'other bytes')
  const other = await verify('--tarballs')
  assert.equal(other.code, 1)
  assert.match(other.out, /FAILED @acme\/widget@1\.0\.0: the registry gives other bytes than its log names/)
})

test('provenance is asked for by name, and what the log names none of fails', async () => {
  const sha256 = 'a'.repeat(64)
  log.add(published('@acme/built', '1.0.0', { attest: [{ type: 'https://slsa.dev/provenance/v1', sha256 }] }))
  log.add(published('@acme/noted', '1.0.0', { attest: [{ type: 'https://notes.example/v1', sha256 }] }))
  await server.show(log)
  await trust()
  const specOf = (name: string) => ({ [`${name}@1.0.0`]: integrityOf(name, '1.0.0') })
  const foreign = {
    version: '1.0.0',
    resolved: 'https://other.example/f.tgz',
    integrity: integrityOf('f', '1.0.0'),
  }
  await lock({ ...widget, ...leftPad, ...specOf('@acme/built'), ...specOf('@acme/noted') })
  assert.equal((await verify()).code, 0)
  assert.equal((await verify('--provenance', '@acme/built')).code, 0)
  const { out, code } = await verify('--provenance', '@acme/*', '--provenance', 'left-pad')
  assert.equal(code, 1)
  for (const name of ['@acme/widget@1.0.0', '@acme/noted@1.0.0', 'left-pad@1.3.0'])
    assert.match(out, new RegExp(`FAILED ${name}: the log names no provenance of it`))
  assert.match(out, /\n1 of 4 versions verified/)
  const packages = { 'node_modules/@else/foreign': foreign }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  await writeFile(join(home, '.npmrc'), '@else:registry=https://other.example/\n')
  const elsewhere = await verify('--provenance', '@else/*')
  await rm(join(home, '.npmrc'))
  assert.equal(elsewhere.code, 1)
  assert.match(elsewhere.out, /FAILED @else\/foreign@1\.0\.0: the log names no provenance of it/)
  assert.equal((await verify('--provenance', '@acme/*/x')).code, 2)
})

test('a log that grew is followed, a cache may lag, and a log that shrank is misbehaviour', async () => {
  await trust()
  await lock(widget)
  const early = log.fork()
  assert.equal((await verify()).code, 0)
  for (let at = 0; at < 300; at += 1) log.add(published('@acme/other', `1.0.${at}`))
  await server.show(log)
  assert.equal((await verify()).code, 0)
  assert.equal(await readFile(stored, 'utf8'), await log.note())
  const earlyNote = await early.note()
  server.lie('checkpoint', () => Buffer.from(earlyNote).toString('latin1'))
  assert.equal((await verify()).code, 0)
  await server.show(early)
  assert.equal((await verify()).code, 3)
  assert.equal(await readFile(stored, 'utf8'), await log.note())
})

test('a second story is a split view: both notes are kept, and the first one stays', async () => {
  await trust()
  await lock(widget)
  const fork = log.fork()
  log.add(published('@acme/widget', '1.0.1'))
  await server.show(log)
  assert.equal((await verify()).code, 0)
  const first = await readFile(stored, 'utf8')
  for (const size of [1, 2]) {
    fork.add(published('@acme/widget', '6.6.6'))
    await server.show(fork)
    const { code, err } = await verify()
    assert.equal(code, 3, `${size}`)
    assert.match(err, /SPLIT VIEW/)
  }
  assert.equal(await readFile(stored, 'utf8'), first)
  const evidence = (await readdir(stateFolder)).filter(file => file.includes('split-view'))
  const { before, now } = JSON.parse(await readFile(join(stateFolder, evidence[0] ?? ''), 'utf8'))
  assert.equal(before, first)
  assert.notEqual(now, first)
})

test('who pins a new key of the same log goes on from what this machine saw, and a rewritten log is still noticed', async () => {
  await trust()
  await lock(widget)
  assert.equal((await verify()).code, 0)
  server.close()
  server = await serveLog(await rotateKey(log))
  assert.equal((await trust()).code, 0)
  const again = await verify()
  assert.equal(again.code, 0, again.err)
  server.close()
  const other = await makeSampleLog()
  for (const version of ['9.0.0', '1.0.0', '2.0.0', '3.0.0']) other.add(published('@acme/widget', version))
  server = await serveLog(await rotateKey(other))
  assert.equal((await trust()).code, 0)
  assert.equal((await verify()).code, 3)
})

test('a checkpoint by another key, of another log, or without its witnesses is misbehaviour', async () => {
  await trust()
  await lock(widget)
  const lies = [
    (note: string) => note.replace(/\n3\n/, '\n4\n'),
    (note: string) => note.replace(origin, 'other.example/log'),
    () => '',
  ]
  for (const lie of lies) {
    server.lie('checkpoint', lie)
    assert.equal((await verify()).code, 3)
  }
  server.close()
  const witness =
    'witness w1 witness.example/w1+6fc2f2cf+BMd/h4jfmZ5i/QlbSTmm7fCDvpehe+0GazBnSNUupm/F\nquorum w1\n'
  server = await serveLog(log, witness)
  assert.equal((await trust()).code, 0)
  assert.match((await verify()).err, /fewer witnesses/)
})

test('a wrong proof, a history with a gap and one that ends too early are noticed', async () => {
  log.add({ type: 'yank', pkg: '@acme/widget', ver: '1.0.0', reason: 'broken' })
  await server.show(log)
  await trust()
  await lock(widget)
  const lies: [string, (body: string) => string][] = [
    ['proofs', body => body.replace(/"index":0/, '"index":1')],
    ['packages', body => body.replace(/"leaves":\[\{[^}]*\},?/, '"leaves":[')],
    ['packages', body => body.replace(/"leaves":\[.*?\]/, '"leaves":[]')],
  ]
  for (const [path, lie] of lies) {
    server.lie(path, lie)
    const { code, out } = await verify()
    assert.equal(code, 1, out)
    server.lie(path, body => body)
  }
  assert.equal((await verify()).code, 0)
})

test('hashes that are shared by many histories are still held against the root', async () => {
  log.add({ type: 'yank', pkg: '@acme/widget', ver: '1.0.0', reason: 'broken' })
  log.add({ type: 'yank', pkg: 'left-pad', ver: '1.3.0', reason: 'broken' })
  await server.show(log)
  await trust()
  await lock({ ...widget, ...leftPad })
  assert.equal((await verify()).code, 0)
  server.lie('tile/0/000.p/5', body => body.replace(/^./s, first => (first === 'a' ? 'b' : 'a')))
  const { out, code } = await verify()
  assert.equal(code, 1)
  for (const name of ['@acme/widget', 'left-pad'])
    assert.match(out, new RegExp(`FAILED ${name}.*does not end in the log`))
})

test('one proof is checked years later without a network, alone or against a lock file', async () => {
  await trust()
  server.close()
  const file = join(home, 'widget.tlog-proof')
  await writeFile(file, await log.proof(0))
  const alone = await holdfast('verify', '--offline', file)
  assert.equal(alone.code, 0, alone.err)
  assert.match(alone.out, /1 of 1 versions verified/)
  await lock({ '@acme/widget@1.0.0': integrityOf('evil', '1.0.0') })
  assert.equal((await holdfast('verify', 'package-lock.json', '--offline', file)).code, 1)
  await lock(widget)
  assert.equal((await holdfast('verify', 'package-lock.json', '--offline', file)).code, 0)
  const proof = await log.proof(0)
  await writeFile(file, proof.replace(/index 0/, 'index 1'))
  assert.equal((await holdfast('verify', '--offline', file)).code, 1)
  const other = await makeSampleLog('other.example/log')
  other.add(published('@acme/widget', '1.0.0'))
  await writeFile(file, await other.proof(0))
  assert.equal((await holdfast('verify', '--offline', file)).code, 2)
})

test('no lock file, an unreadable one and no log end with 2', async () => {
  await trust()
  await rm(join(home, 'package-lock.json'), { force: true })
  assert.match((await verify()).err, /no lock file here/)
  await writeFile(join(home, 'package-lock.json'), '{}')
  assert.match((await verify()).err, /no lock file that can be read/)
  await lock(widget)
  server.close()
  assert.equal((await verify()).code, 2)
})
