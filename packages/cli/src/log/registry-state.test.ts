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
import { encodeName, openProbeClient, type ProbeClient } from '../assess/probe-client.ts'
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
  assert.deepEqual([code, state], [0, { packages: 3, differences: [], hidden: 0, unseen: [] }])
  const told = await holdfast('log', 'audit', `${instance.url}/log`, '--state')
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
