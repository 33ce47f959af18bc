// SPDX-License-Identifier: Apache-2.0
/** `holdfast log audit --state` against a real instance, whose database somebody then changes behind its back. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { Leaf } from '@holdfast/core'
import { openCommandLine } from '../../test/command-line.ts'
import { type ProbedInstance, startInstance } from '../../test/instance.ts'
import { encodeName, openProbeClient, type ProbeClient, until } from '../assess/probe-client.ts'
import { makePublishBody } from '../assess/sample-package.ts'
import type { Registry } from '../registry.ts'
import { auditLog } from './audit.ts'
import { verifyCheckpoint } from './checkpoint.ts'
import { compareRegistry } from './registry-state.ts'
import { openLog, readCheckpointNote } from './source.ts'
import { fetchTrust } from './trust.ts'

const versions = ['1.0.0', '1.0.1', '1.1.0', '1.2.0', '2.0.0-beta.1'] as const
let instance: ProbedInstance
let client: ProbeClient
const home = await mkdtemp(join(tmpdir(), 'holdfast-state-'))
const commandLine = openCommandLine(home)
/** Of somebody who may read all entries, and owns nothing. */
let auditor: string

before(async () => {
  const denied = { kind: 'deny', packages: ['*'], versions: '1.3.0', origins: ['hosted'], mode: 'enforce' }
  instance = await startInstance({ HOLDFAST_POLICY: JSON.stringify([denied]) })
  client = await openProbeClient(instance)
  auditor = (await instance.operate('token', '--user', 'an-auditor', '--read-only')).trim()
  await instance.operate('role', 'an-auditor', '--role', 'auditor')
})
after(async () => {
  await instance.stop()
  await rm(home, { recursive: true })
})

async function readLeaves(registry: Registry): Promise<readonly Leaf[]> {
  const source = openLog(registry)
  const checkpoint = await verifyCheckpoint(await trust(), await readCheckpointNote(source))
  const leaves: Leaf[] = []
  const ignore = () => undefined
  await auditLog(source, checkpoint, leaf => leaves.push(leaf), ignore)
  return leaves
}

interface Told {
  readonly code: number | null
  readonly state: {
    readonly packages: number
    readonly differences: readonly string[]
    readonly hidden: number
    readonly unseen: readonly string[]
    readonly gate?: { readonly rows: number; readonly differences: readonly string[] }
  }
}

async function auditState(...place: string[]): Promise<Told> {
  await holdfast('trust', 'init', instance.url, '--root-sha256', (await trust()).sha256)
  const { out, err, code } = await holdfast('log', 'audit', ...place, '--state', '--json')
  assert.equal(err, '')
  return { code, state: JSON.parse(out).state }
}

const trust = () => fetchTrust({ url: instance.url, token: undefined })

const holdfast = (...words: string[]) => commandLine({ HOLDFAST_TOKEN: auditor }, ...words)

/** A package that lived through everything that moves a version or a tag. */
async function live(name: string): Promise<void> {
  for (const version of versions) assert.ok((await client.publish({ name, version })).status < 300)
  const tagged = await client.ask('PUT', `/npm/-/package/${encodeName(name)}/dist-tags/old`, {
    body: JSON.stringify('1.0.1'),
  })
  assert.ok(tagged.status < 300, tagged.body.toString())
  await instance.operate('quarantine', `${name}@1.0.0`, '--reason', 'malware')
  await instance.operate('yank', `${name}@1.1.0`, '--reason', 'broken')
  await instance.operate('yank', `${name}@1.0.1`, '--reason', 'broken')
  await instance.operate('unyank', `${name}@1.0.1`)
}

/** Changes rows of a package; an act on its last version then makes the instance show it anew. */
async function tamper(name: string, ...changes: readonly string[]): Promise<void> {
  const database = new DatabaseSync(join(instance.data, 'holdfast.db'), { timeout: 5000 })
  for (const change of changes) database.prepare(change).run({ name })
  database.close()
  await instance.operate('yank', `${name}@2.0.0-beta.1`, '--reason', 'other')
}

const ofVersion = (version: string) => `where package = :name and version = '${version}'`

test('a registry agrees with its log after everything that can happen to packages', async () => {
  for (const word of ['one', 'two', 'three']) await live(client.nameOf(word))
  const { code, state } = await auditState(instance.url)
  const { gate, ...rest } = state
  assert.deepEqual([code, rest], [0, { packages: 3, differences: [], hidden: 0, unseen: [] }])
  assert.ok(gate !== undefined && gate.rows > 8, String(gate?.rows))
  const told = await holdfast('log', 'audit', `${instance.url}/log`, '--state')
  assert.match(
    told.out,
    /rows of owners, publishers, freezes, waivers and the policy compared: 0 differences/,
  )
  assert.match(told.out, /3 packages compared with the registry: 0 differences/)
})

test('what the policy keeps back is counted, and what changed during the audit is no lie', async () => {
  const name = client.nameOf('one')
  const registry = { url: instance.url, token: auditor }
  const before = await readLeaves(registry)
  assert.ok((await client.publish({ name, version: '1.3.0' })).status < 300)
  assert.ok((await client.publish({ name, version: '1.4.0' })).status < 300)
  const state = await compareRegistry(registry, before, () => readLeaves(registry))
  assert.deepEqual([state.differences, state.hidden], [[], 1])
  const stale = await compareRegistry(registry, before, async () => before)
  assert.deepEqual(stale.differences[0], `${name}: 1.4.0 is listed, and the log has no publication of it`)
})

/** What somebody who writes into the tables would write, and what the audit says of it; the instance is as before afterwards. */
const gateLies: Readonly<Record<string, readonly [change: string, wanted: RegExp, undo: string]>> = {
  'a freeze is lifted': [
    'update measure set undone_at = 1 where subject = :freeze',
    /^freeze @\S+: 1 by the log, not there in the table$/,
    'update measure set undone_at = null where subject = :freeze',
  ],
  'a freeze of nobody': [
    `insert into measure (id, kind, subject, reason, words, actor, incident, made_at, lapses_at, confirmed_by,
      undo_asked_by, undone_by, undone_at, wanted, finished_at)
     values ('measure-x', 'freeze', 'registry', 'other', '', 'a_0', '', 1, null, '', '', '', null, 0, null)`,
    /^freeze \*: 1 in the table, and not in the log$/,
    "delete from measure where id = 'measure-x'",
  ],
  'a waiver that nobody granted': [
    `insert into waiver (id, package, version, rules, grounds, reason, state, asked_by, asked_at, decided_by, decided_at,
      ends_at, notified_at)
     values ('wv_x', :name, '1.3.0', 'deny', '[]', '', 'granted', 'a_0', 1, 'a_1', 1, 99999999999999, null)`,
    /^waiver wv_x: @\S+@1\.3\.0 until 99999999999999 in the table, and not in the log$/,
    "delete from waiver where id = 'wv_x'",
  ],
  'a trusted publisher from nowhere': [
    `insert into trusted_publisher (id, package, provider, issuer, rule, permissions, created_at, created_by, starts_at,
      pending_until, last_used_at, removed_at)
     values ('tp_x', :name, 'github', 'https://ci.example', '{"repository":"evil/evil"}', '["createPackage"]', 1, 'a_0',
      1, null, null, null)`,
    /^trusted-publisher @\S+ tp_x: .*evil\/evil.* in the table, and not in the log$/,
    "delete from trusted_publisher where id = 'tp_x'",
  ],
  'a publisher that waits for a name': [
    `insert into trusted_publisher (id, package, provider, issuer, rule, permissions, created_at, created_by, starts_at,
      pending_until, last_used_at, removed_at)
     values ('tp_y', 'to-come', 'github', 'https://ci.example', '{}', '["createPackage"]', 1, 'a_0', 1, 99999999999999,
      null, null)`,
    /^pending-publisher tp_y: .* in the table, and not in the log$/,
    "delete from trusted_publisher where id = 'tp_y'",
  ],
  'a maintainer made owner': [
    "update package_role set role = 'maintainer' where package = :name",
    /^owner @\S+ a_\w+: owner by the log, maintainer in the table$/,
    "update package_role set role = 'owner' where package = :name",
  ],
  'a transfer without a word': [
    "update package_role set account = 'a_thief' where package = :name",
    /^owner @\S+ a_thief: owner in the table, and not in the log$/,
    'update package_role set account = (select id from account where login = :user) where package = :name',
  ],
  'an operator of nobody': [
    `update account set roles = '["operator"]' where login = :user`,
    /^grant a_\w+ operator: given in the table, and not in the log$/,
    "update account set roles = '[]' where login = :user",
  ],
  'a name hosted by nobody': [
    "insert into hosted (pattern, created_at) values ('@stolen/*', 1)",
    /^hosted-names @stolen\/\*: there in the table, and not in the log$/,
    "delete from hosted where pattern = '@stolen/*'",
  ],
  'an account switched on again': [
    'update account set disabled_at = 1 where login = :user',
    /^account a_\w+: disabled in the table, and not in the log$/,
    'update account set disabled_at = null where login = :user',
  ],
  'a rule turned off': [
    "update policy set rules = replace(rules, 'enforce', 'dry-run')",
    /^policy \*: .*enforce.* by the log, .*dry-run.* in the table$/,
    "update policy set rules = replace(rules, 'dry-run', 'enforce')",
  ],
}

test('rows of the gate that were changed behind the log are named one by one, and the exit code is 3', async () => {
  const name = client.nameOf('gated')
  assert.ok((await client.publish({ name, version: '1.0.0' })).status < 300)
  await instance.operate('measure', 'freeze', `package:${name}`, '--reason', 'security')
  const registry = { url: instance.url, token: auditor }
  await until(
    async () => (await readLeaves(registry)).some(({ type }) => type === 'freeze'),
    'the log has it',
  )
  const known = { name, user: client.user, freeze: `package:${name}` }
  const database = new DatabaseSync(join(instance.data, 'holdfast.db'), { timeout: 5000 })
  const write = (change: string) => {
    const named = Object.entries(known).filter(([each]) => change.includes(`:${each}`))
    const { changes } = database.prepare(change).run(Object.fromEntries(named))
    assert.ok(changes > 0, change)
  }
  for (const [what, [change, wanted, undo]] of Object.entries(gateLies)) {
    write(change)
    const { code, state } = await auditState(instance.url)
    assert.equal(code, 3, what)
    assert.ok(
      state.differences.some(each => wanted.test(each)),
      `${what}: ${state.differences.join('\n')}`,
    )
    write(undo)
  }
  const { code, state } = await auditState(instance.url)
  assert.deepEqual([code, state.differences], [0, []])
  database.close()
})

test('what was changed behind the log is named, and the exit code is 3', async () => {
  const columns = `ordinal, status, reason, deprecated, digest, shasum, size_bytes, unpacked_size_bytes, file_count,
    manifest, short_manifest, signatures, has_install_script, dependencies, logged, published_at, publisher, token, approver, removed_at`
  const added = `insert into version (package, version, ${columns})
    select package, '6.6.6', ${columns.replace('ordinal', 'ordinal + 100')} from version ${ofVersion('1.0.1')}`
  const set = (what: string, version: string) => `update version set ${what} ${ofVersion(version)}`
  const lies: Readonly<Record<string, readonly [string, RegExp]>> = {
    opened: [set("status = 'live'", '1.0.0'), /1\.0\.0 is listed, and is quarantined by the log$/],
    unyanked: [set("status = 'live'", '1.1.0'), /1\.1\.0 is yanked by the log, and is not shown so$/],
    yanked: [set("status = 'yanked'", '1.0.1'), /1\.0\.1 is shown as yanked, and is live by the log$/],
    lost: [set("status = 'removed'", '1.0.1'), /1\.0\.1 is live by the log, and is not shown$/],
    swapped: [
      `update version set digest = (select digest from version ${ofVersion('1.0.0')}) ${ofVersion('1.0.1')}`,
      /1\.0\.1 has another digest than in the log$/,
    ],
    added: [added, /6\.6\.6 is listed, and the log has no publication of it$/],
    tagged: [
      "update dist_tag set version = '1.2.0' where package = :name and tag = 'old'",
      /the tag old is at 1\.0\.1 by the log, and is shown at 1\.2\.0$/,
    ],
    gone: ['delete from package where name = :name', /the registry shows no such package$/],
  }
  for (const [word, [change]] of Object.entries(lies)) {
    await live(client.nameOf(word))
    await tamper(client.nameOf(word), change).catch(error => assert.equal(word, 'gone', String(error)))
  }
  const { code, state } = await auditState(instance.url)
  assert.equal(code, 3)
  for (const [word, [, wanted]] of Object.entries(lies)) {
    const told = state.differences.filter(each => each.startsWith(`${client.nameOf(word)}: `))
    assert.equal(told.length, 1, `${word}: ${state.differences.join('\n')}`)
    assert.match(told[0] ?? '', wanted)
  }
  assert.equal(state.differences.length, Object.keys(lies).length)
  const lines = (await holdfast('log', 'audit', instance.url, '--state')).out.split('\n')
  assert.equal(lines.filter(line => line.startsWith('DIFFERENCE ')).length, state.differences.length)
})

test('whoever may not read every entry is told that the gate was not compared', async () => {
  const stranger = { url: instance.url, token: client.token }
  const { gate } = await compareRegistry(stranger, [], async () => [])
  assert.equal(gate, undefined)
})

test('a restricted package that the reader may not see is neither a difference nor agreement', async () => {
  const name = client.nameOf('secret')
  const body = JSON.stringify({
    ...JSON.parse(makePublishBody({ name, version: '1.0.0' })),
    access: 'restricted',
  })
  assert.ok((await client.ask('PUT', `/npm/${encodeName(name)}`, { body })).status < 300)
  const { state } = await auditState(instance.url)
  assert.ok(state.unseen.some(each => each === name))
  assert.ok(!state.differences.some(each => each.startsWith(`${name}: `)))
})

test('a copy of a log shows no packages', async () => {
  assert.equal((await holdfast('log', 'audit', home, '--state')).code, 2)
})
