// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { openCommandLine } from '../../test/command-line.ts'
import {
  ingested,
  makeSampleLog,
  origin,
  published,
  type SampleLog,
  serveLog,
  writeLog,
} from '../../test/sample-log.ts'

const home = await mkdtemp(join(tmpdir(), 'holdfast-log-'))
const folder = join(home, 'log')
after(() => rm(home, { recursive: true }))
afterEach(async () => {
  for (const each of ['state', 'config', 'log']) await rm(join(home, each), { recursive: true, force: true })
})

const commandLine = openCommandLine(home)
const holdfast = (...words: string[]) => commandLine({}, ...words)

/** Exit code and faults of an audit of a log's files, some of them changed. */
async function auditFolder(log: SampleLog, changes: Readonly<Record<string, Uint8Array>> = {}) {
  await rm(folder, { recursive: true, force: true })
  await rm(join(home, 'state'), { recursive: true, force: true })
  await writeLog(folder, new Map([...(await log.files()), ...Object.entries(changes)]))
  const { out, err, code } = await holdfast('log', 'audit', folder, '--vkey', log.vkey, '--json')
  const told = out === '' ? { faults: [err] } : JSON.parse(out)
  return { code, ...told }
}

async function makeLog(count: number): Promise<SampleLog> {
  const log = await makeSampleLog()
  for (let at = 0; at < count; at += 1) log.add(published(`@acme/p${at % 7}`, `1.0.${at}`))
  return log
}

test('a whole log is audited from a folder of files, and from its address alone', async () => {
  const log = await makeLog(600)
  const told = await auditFolder(log)
  assert.deepEqual([told.code, told.origin, told.size, told.packages], [0, origin, 600, 7])
  assert.deepEqual(told.types, { publish: 600 })
  const server = await serveLog(log)
  const bare = await holdfast('log', 'audit', server.url)
  assert.match(bare.err, /nothing is pinned/)
  await holdfast('trust', 'init', server.url, '--root-sha256', server.trustDigest)
  const { code, out } = await holdfast('log', 'audit', `${server.url}/log`)
  assert.equal(code, 0, out)
  assert.match(out, /600 entries about 7 packages[\s\S]*all chains and all entries are right/)
  server.close()
})

test('every planted lie is found', async () => {
  const [first, second] = [published('@acme/ui', '1.0.0'), published('@acme/ui', '1.0.1')]
  const lies: Readonly<Record<string, readonly [RegExp, (log: SampleLog) => void]>> = {
    'a version published twice': [/published before/, log => log.add(first)],
    'a version under two digests': [
      /another digest/,
      log =>
        log.add({
          ...ingested('@acme/ui', '1.0.0'),
          dist: { integrity: `sha512-${'A'.repeat(86)}==`, size: 1 },
        }),
    ],
    'an id used twice': [/its id/, log => log.add({ ...second, id: '0198f0a0-0000-7000-8000-000000000000' })],
    'an entry of another log': [/another log/, log => log.add({ ...second, log: 'other.example/log' })],
    'a gap in a chain': [/entry 2 of @acme\/ui is missing/, log => log.add({ ...second, seq: 3 })],
    'another entry before': [/stood another one/, log => log.add({ ...second, prev: `${'A'.repeat(43)}=` })],
    'a field that its type lacks': [/field email/, log => log.add({ ...second, email: 'x' })],
    'a type that nobody knows': [/type is not known/, log => log.add({ type: 'surprise' })],
    'an entry that is no leaf': [/no leaf/, log => log.addRaw(Buffer.from('{"v": 1}'))],
  }
  for (const [name, [wanted, lie]] of Object.entries(lies)) {
    const log = await makeSampleLog()
    log.add(first)
    lie(log)
    const { code, faults } = await auditFolder(log)
    assert.equal(code, 3, name)
    assert.match(faults.join('\n'), wanted, name)
    assert.equal(faults.length, 1, `${name}: ${faults}`)
  }
})

test('files that are not what was signed are found', async () => {
  const log = await makeLog(300)
  const other = (await makeLog(299)).fork()
  other.add(published('@acme/evil', '1.0.0'))
  const files = await other.files()
  const changed = (path: string) => ({ [path]: files.get(path) ?? Buffer.of() })
  const cases = [
    changed('tile/0/001.p/44'),
    changed('tile/entries/001.p/44'),
    { 'tile/1/000.p/1': Buffer.alloc(32) },
  ]
  for (const change of cases) assert.equal((await auditFolder(log, change)).code, 3, Object.keys(change)[0])
  const broken = [
    { 'tile/entries/000': Buffer.of(1) },
    { 'tile/0/000': Buffer.of(1) },
    { checkpoint: Buffer.of(1) },
  ]
  for (const change of broken) assert.equal((await auditFolder(log, change)).code, 3, Object.keys(change)[0])
  await rm(join(folder, 'tile', 'entries'), { recursive: true })
  const gone = await holdfast('log', 'audit', folder, '--vkey', log.vkey)
  assert.equal(gone.code, 3)
  const stranger = await makeSampleLog('other.example/log')
  assert.equal((await holdfast('log', 'audit', folder, '--vkey', stranger.vkey)).code, 3)
})

test('a log that is whole in itself and another than the one seen before is a split view', async () => {
  const log = await makeLog(3)
  const fork = log.fork()
  log.add(published('@acme/ui', '1.0.0'))
  fork.add(published('@acme/ui', '6.6.6'))
  assert.equal((await auditFolder(log)).code, 0)
  await writeLog(folder, await fork.files())
  const { code, err } = await holdfast('log', 'audit', folder, '--vkey', log.vkey)
  assert.equal(code, 3)
  assert.match(err, /SPLIT VIEW/)
})

test('a place without a log ends with 2', async () => {
  for (const place of [join(home, 'nowhere'), home, 'http://127.0.0.1:1']) {
    assert.equal((await holdfast('log', 'audit', place)).code, 2, place)
  }
})

const oidc = { kind: 'oidc', id: 'tp_0001' }
const attest = [{ type: 'https://slsa.dev/provenance/v1', sha256: 'a'.repeat(64) }]
const ownerChange = {
  type: 'owner',
  pkg: '@acme/ui',
  op: 'add',
  subject: { kind: 'user', id: 'a_4f1d9c0e7b2a4a55' },
  role: 'owner',
}

test('entries and histories are shown once they are proven, and a lie is none', async () => {
  const log = await makeSampleLog()
  log.add(published('@acme/widget', '1.0.0'))
  log.add(published('@acme/widget', '1.1.0'))
  log.add({ type: 'yank', pkg: '@acme/widget', ver: '1.1.0', reason: 'broken' })
  const server = await serveLog(log)
  try {
    const show = (what: string, ...more: string[]) =>
      holdfast('log', 'show', what, '--registry', server.url, ...more)
    assert.equal((await show('0')).code, 2)
    await holdfast('trust', 'init', server.url, '--root-sha256', server.trustDigest)
    const all = await show('@acme/widget')
    assert.equal(all.code, 0, all.err)
    assert.match(
      all.out,
      /^0 \S+ publish @acme\/widget@1\.0\.0 by .*\n1 .*\n2 \S+ yank @acme\/widget@1\.1\.0 by \S+ reason=broken\n$/,
    )
    const one = JSON.parse((await show('@acme/widget@1.0.0', '--json')).out)
    assert.deepEqual(
      one.map((each: { index: number }) => each.index),
      [0],
    )
    assert.match((await show('2')).out, /^2 \S+ yank/)
    assert.equal((await show('3')).code, 2)
    server.lie('package/@acme/widget', body => body.replace(/\{"index":2.*?\}/, '{"index":2,"entry":"e30="}'))
    const lie = await show('@acme/widget')
    assert.equal(lie.code, 3, lie.out)
    assert.match(lie.err, /the history of @acme\/widget is broken/)
  } finally {
    server.close()
  }
})

test('a monitor learns what was, then tells each event of what it watches once, and what is alarming', async () => {
  const log = await makeSampleLog()
  log.add(published('@acme/ui', '1.0.0', { actor: oidc, attest }))
  log.add({ type: 'dist-tag', pkg: '@acme/ui', tag: 'latest', ver: '1.0.0' })
  const server = await serveLog(log)
  const monitor = (...more: string[]) =>
    holdfast(
      'log',
      'monitor',
      server.url,
      '--watch',
      '@acme/*',
      '--once',
      '--vkey',
      log.vkey,
      '--json',
      ...more,
    )
  assert.deepEqual(await monitor(), { out: '', err: '', code: 0 })
  log.add(published('left-pad', '1.0.0'))
  log.add(published('@acme/ui', '1.0.1', { actor: oidc, attest }))
  log.add({ type: 'quarantine', pkg: '@acme/ui', ver: '1.0.1', reason: 'malware' })
  await server.show(log)
  const quiet = await monitor()
  assert.equal(quiet.code, 0)
  assert.deepEqual(
    quiet.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).type),
    ['publish', 'quarantine'],
  )
  log.add(ownerChange)
  log.add(published('@acme/ui', '1.0.2'))
  log.add({ type: 'dist-tag', pkg: '@acme/ui', tag: 'latest', ver: '1.0.1' })
  log.add({ type: 'dist-tag', pkg: '@acme/ui', tag: 'latest', ver: '0.9.0' })
  await server.show(log)
  const loud = await monitor()
  assert.equal(loud.code, 1)
  const why = loud.out
    .trim()
    .split('\n')
    .flatMap(line => JSON.parse(line).why)
    .join('\n')
  for (const wanted of [/by hand/, /without provenance/, /72 hours/, /is closed/, /went back from 1\.0\.1/])
    assert.match(why, wanted)
  assert.deepEqual(await monitor(), { out: '', err: '', code: 0 })
  assert.deepEqual(await monitor('--watch', 'left-pad'), { out: '', err: '', code: 0 })
  server.close()
})

test('what the webhook did not take is told again, and a lie stops the monitor', async () => {
  const log = await makeSampleLog()
  log.add(published('@acme/ui', '1.0.0'))
  const server = await serveLog(log)
  const hook = await serveLog(log)
  const monitor = (url: string) =>
    holdfast(
      'log',
      'monitor',
      server.url,
      '--watch',
      '@acme/*',
      '--once',
      '--vkey',
      log.vkey,
      '--webhook',
      url,
    )
  assert.equal((await monitor(hook.url)).code, 0)
  log.add({ type: 'yank', pkg: '@acme/ui', ver: '1.0.0', reason: 'broken' })
  await server.show(log)
  assert.equal((await monitor('http://127.0.0.1:1/')).code, 2)
  assert.equal((await monitor(`${hook.url}/log/nothing-takes-this`)).code, 2)
  const told = await monitor(`${hook.url}/log/trust`)
  assert.match(told.out, /event entry 1 \S+ yank @acme\/ui@1\.0\.0/)
  log.add({ type: 'yank', pkg: '@acme/ui', ver: '1.0.0', reason: 'broken', seq: 7 })
  await server.show(log)
  assert.equal((await monitor(`${hook.url}/log/trust`)).code, 3)
  server.close()
  hook.close()
})
