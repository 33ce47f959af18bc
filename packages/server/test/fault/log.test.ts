// SPDX-License-Identifier: Apache-2.0
/** The log when something around it fails: nothing is forked, nothing is lost, and protection never waits for it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type PackageName, parseNamePattern, problem, type Version } from '@holdfast/core'
import {
  contain,
  disableUser,
  hostNames,
  type LogWorks,
  type Protected,
  protectAgain,
  type RecoveredEntry,
  recoverLog,
  setInstanceRoles,
  takeMeasure,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts } from '../../src/main.ts'
import { configIn, type Live, publishDocument, put, startLive, tokenOf } from '../live.ts'
import { auditLog } from '../log-audit.ts'
import { request } from '../request.ts'

type Opened = Awaited<ReturnType<typeof openPorts>>

/** An instance with other parts in its log. */
function startWith(replaceParts: (works: LogWorks) => LogWorks): Promise<Live> {
  return startLive({ replaced: { openPorts: (config, clock) => openPorts(config, clock, replaceParts) } })
}

/** Thinks that the log is always its own. */
function greedy(works: LogWorks): LogWorks {
  const leases = { ...works.store.leases, acquire: async () => ({ position: 0, fence: 0 }) }
  return { ...works, store: { ...works.store, leases } }
}

async function publish(live: Live, name: string, version: string): Promise<Response> {
  const answer = await put(live, name, publishDocument(name, version))
  await answer.text()
  return answer
}

function quarantine({ ports }: Live, name: string, version: string): Promise<void> {
  const subject = { name: name as PackageName, version: version as Version }
  return takeMeasure(ports, operator, 'quarantine', subject, { code: 'malware', words: '' })
}

async function versionsOf(live: Live, name: string): Promise<string[]> {
  const answer = await request(live.url, 'GET', `/npm/${name}`)
  return answer.status === 200 ? Object.keys(JSON.parse(answer.body.toString()).versions) : []
}

test('two processes that both think the log is theirs make one log of what both commit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const [one, two] = [
    await openPorts(configIn(folder), Date.now, greedy),
    await openPorts(configIn(folder), Date.now, greedy),
  ]
  try {
    const work = Array.from({ length: 60 }, async (_, at) => {
      const { ports } = at % 2 === 0 ? one : two
      await hostNames(ports, operator, [parseNamePattern(`acme-${at}`)])
      return ports.log.covered()
    })
    assert.ok((await Promise.all(work)).every(isCovered => isCovered))
    assert.equal((await one.ports.log.state()).halted, '')
    assert.equal((await two.ports.log.state()).halted, '')
    await auditLog(one.ports)
    assert.ok(((await one.ports.log.published())?.size ?? 0) >= 60)
  } finally {
    await one.close()
    await two.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('what another process signs and publishes between two reads is no evidence', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const host = ({ ports }: Opened, name: string) =>
    hostNames(ports, operator, [parseNamePattern(name)]).then(() => ports.log.covered())
  let meanwhile: Promise<unknown> | undefined
  const slow = (works: LogWorks): LogWorks => {
    const { store } = greedy(works)
    const afterwards = async <T>(read: Promise<T>): Promise<T> => {
      const found = await read
      meanwhile ??= host(two, `acme-${Math.random()}`)
      await meanwhile
      return found
    }
    const log = {
      ...store.log,
      head: () => afterwards(store.log.head()),
      sequence: (...args: Parameters<typeof store.log.sequence>) => afterwards(store.log.sequence(...args)),
    }
    return { ...works, store: { ...store, log } }
  }
  const two = await openPorts(configIn(folder), Date.now, greedy)
  const one = await openPorts(configIn(folder), Date.now, slow)
  try {
    await host(two, 'acme')
    await one.log.check()
    assert.notEqual(meanwhile, undefined)
    assert.ok(await host(one, 'acme-one'))
    meanwhile = undefined
    assert.ok(await host(one, 'acme-other'))
    assert.equal((await one.ports.log.state()).halted, '')
    await auditLog(one.ports)
  } finally {
    await one.close()
    await two.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a disk that is full while tiles are written costs time, not the log', async () => {
  let failures = 0
  const live = await startWith(works => ({
    ...works,
    files: {
      ...works.files,
      async write(files) {
        if (failures === 0) return works.files.write(files)
        failures -= 1
        await works.files.write(new Map([...files].slice(0, 1)))
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      },
    },
  }))
  try {
    assert.equal((await publish(live, 'full', '1.0.0')).status, 201)
    failures = 3
    assert.equal((await publish(live, 'full', '1.1.0')).status, 201)
    assert.equal(failures, 0)
    assert.deepEqual(await versionsOf(live, 'full'), ['1.0.0', '1.1.0'])
    await auditLog(live.ports)
  } finally {
    await live.stop()
  }
})

test('without its checkpoint a version is nowhere; a quarantine takes effect at once; both show when the log gets on', async () => {
  let isQuorumMet = false
  const written: string[] = []
  const live = await startWith(works => ({
    ...works,
    files: {
      ...works.files,
      async write(files) {
        written.push(...files.keys())
        return works.files.write(files)
      },
    },
    witnesses: { ...works.witnesses, cosign: async () => ({ lines: [], isQuorumMet }) },
  }))
  try {
    const answers = await Promise.all([publish(live, 'quiet', '1.0.0'), publish(live, 'quiet', '1.1.0')])
    for (const answer of answers) {
      assert.equal(answer.status, 201)
      assert.match(answer.headers.get('npm-notice') ?? '', /not yet visible/)
    }
    assert.deepEqual(await versionsOf(live, 'quiet'), [])
    const tarball = await request(live.url, 'GET', '/npm/quiet/-/quiet-1.0.0.tgz')
    assert.equal(tarball.status, 404)
    assert.equal((await live.ports.log.state()).waiting > 0, true)
    await quarantine(live, 'quiet', '1.1.0')
    isQuorumMet = true
    assert.ok(await live.ports.log.covered())
    assert.deepEqual(await versionsOf(live, 'quiet'), ['1.0.0'])
    assert.equal(written.length, new Set(written).size, 'a tree that waits for its quorum was made twice')
    await auditLog(live.ports)
  } finally {
    await live.stop()
  }
})

test('a witness that saw another log stops the signing: publishes are refused, reads go on, and it is told', async () => {
  let isSplit = false
  const live = await startWith(works => ({
    ...works,
    witnesses: {
      ...works.witnesses,
      async cosign() {
        if (isSplit) throw problem('log-forked', { why: 'a witness has seen 9 entries' })
        return { lines: [], isQuorumMet: true }
      },
    },
  }))
  try {
    assert.equal((await publish(live, 'split', '1.0.0')).status, 201)
    const before = await live.ports.log.published()
    isSplit = true
    assert.match((await publish(live, 'split', '1.1.0')).headers.get('npm-notice') ?? '', /not yet visible/)
    isSplit = false
    assert.equal((await publish(live, 'split', '1.2.0')).status, 503)
    assert.deepEqual(await versionsOf(live, 'split'), ['1.0.0'])
    assert.deepEqual(await live.ports.log.published(), before)
    const ready = await request(live.url, 'GET', '/-/health/ready')
    assert.equal(ready.status, 200)
    assert.match(ready.body.toString(), /nothing is signed: .* a witness has seen 9 entries/)
    const metrics = await request(live.url, 'GET', '/-/metrics')
    assert.match(metrics.body.toString(), /^holdfast_log_halted 1$/m)
  } finally {
    await live.stop()
  }
})

test('while too much waits for the log publishes are asked to come back, and nothing else is', async () => {
  let waiting = 0
  const live = await startWith(works => {
    const { log } = works.store
    const countWaiting: typeof log.countWaiting = async most => {
      const found = await log.countWaiting(most)
      return { ...found, count: found.count + waiting }
    }
    return { ...works, store: { ...works.store, log: { ...log, countWaiting } } }
  })
  try {
    assert.equal((await publish(live, 'busy', '1.0.0')).status, 201)
    waiting = 5000
    const refused = await publish(live, 'busy', '1.1.0')
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '60'])
    await quarantine(live, 'busy', '1.0.0')
    assert.deepEqual(await versionsOf(live, 'busy'), [])
  } finally {
    await live.stop()
  }
})

test('a database older than its log does not start, with or without the mark; the log’s files bring back what happened', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const database = join(folder, 'holdfast.db')
  const run = async (work: (live: Live) => Promise<unknown>) => {
    const live = await startLive({ folder })
    await work(live).finally(() => live.stop())
  }
  try {
    await run(live => publish(live, 'lost', '1.0.0'))
    await copyFile(database, join(folder, 'older.db'))
    await run(async live => {
      await publish(live, 'lost', '1.1.0')
      await publish(live, 'lost-whole', '1.0.0')
      await quarantine(live, 'lost', '1.0.0')
      assert.ok(await live.ports.log.covered())
    })
    await copyFile(join(folder, 'older.db'), database)
    await assert.rejects(startLive({ folder }), { code: 'log-behind' })
    await rm(join(folder, 'keys', 'log.mark'))
    await assert.rejects(startLive({ folder }), { code: 'log-behind' })
    const opened = await openPorts(configIn(folder))
    const { recovered, again } = await recoverLog(opened.logWorks, lost =>
      protectAgain(opened.ports, lost),
    ).finally(() => opened.close())
    assert.deepEqual(again.done, ['lost@1.0.0 is quarantined again'])
    const told = recovered.map(({ leaf }) => [leaf['type'], leaf['pkg'], leaf['ver']])
    assert.deepEqual(
      told.filter(([type, pkg]) => pkg === 'lost' && type !== 'dist-tag'),
      [
        ['publish', 'lost', '1.1.0'],
        ['quarantine', 'lost', '1.0.0'],
      ],
    )
    await run(async live => {
      await publish(live, 'lost', '1.2.0')
      // Its publication is in the log for ever, whatever became of its bytes.
      assert.equal((await publish(live, 'lost', '1.1.0')).status, 403)
      assert.deepEqual(await versionsOf(live, 'lost'), ['1.2.0'])
      await auditLog(live.ports)
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('what protected people after the backup protects them again, and what the log does not tell is left to a person', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const database = join(folder, 'holdfast.db')
  const reason = { code: 'security', words: '' } as const
  const stolen = { token: '' }
  const freeze = (ports: Live['ports'], subject: string) => {
    const what = { kind: 'freeze', subject } as const
    return contain(ports, operator, { what, reason: 'security', words: '', incident: '', confirm: subject })
  }
  try {
    const before = await startLive({ folder })
    for (const name of ['slow', 'cold', 'fine']) await publish(before, name, '1.0.0')
    stolen.token = await tokenOf(before.ports, 'mallory')
    await tokenOf(before.ports, 'eve')
    await setInstanceRoles(before.ports, operator, 'eve', ['auditor', 'responder'])
    await before.stop()
    await copyFile(database, join(folder, 'older.db'))
    const after = await startLive({ folder })
    const subject = (name: string) => ({ name: name as PackageName, version: '1.0.0' as Version })
    await takeMeasure(after.ports, operator, 'yank', subject('slow'), reason)
    await takeMeasure(after.ports, operator, 'yank', subject('fine'), reason)
    await takeMeasure(after.ports, operator, 'unyank', subject('fine'), reason)
    await freeze(after.ports, 'package:cold')
    await freeze(after.ports, 'sign-up')
    await disableUser(after.ports, operator, 'mallory')
    await setInstanceRoles(after.ports, operator, 'eve', ['auditor'])
    assert.ok(await after.ports.log.covered())
    await after.stop()
    await copyFile(join(folder, 'older.db'), database)
    const recover = async (
      protect: (ports: Live['ports'], lost: readonly RecoveredEntry[]) => Promise<Protected>,
    ) => {
      const opened = await openPorts(configIn(folder))
      return recoverLog(opened.logWorks, lost => protect(opened.ports, lost)).finally(() => opened.close())
    }
    const killed = async () => {
      throw new Error('killed')
    }
    // Killed before anything protects again, and once more when all of it does: no registry starts on that, and the next run goes on.
    await assert.rejects(recover(killed), /killed/)
    await assert.rejects(startLive({ folder }), { code: 'log-behind' })
    const { done, left }: { done: string[]; left: string[] } = { done: [], left: [] }
    const late = recover(async (ports, lost) => {
      const again = await protectAgain(ports, lost)
      done.push(...again.done)
      left.push(...again.left)
      return killed()
    })
    await assert.rejects(late, /killed/)
    await assert.rejects(startLive({ folder }), { code: 'log-behind' })
    await recover(protectAgain)
    const told = done.map(line => line.replace(/ t_\S+/, ' …')).toSorted()
    assert.deepEqual(told, [
      'cold is frozen again, for four hours unless somebody confirms it',
      'eve is no longer responder',
      'mallory is switched off again',
      'slow@1.0.0 is yanked again',
    ])
    assert.equal(left.length, 1)
    assert.match(left[0] ?? '', /freeze.*does not say what was frozen/)
    const again = await startLive({ folder })
    try {
      const whoami = await request(again.url, 'GET', '/npm/-/whoami', {
        authorization: `Bearer ${stolen.token}`,
      })
      assert.equal(whoami.status, 401)
      assert.equal((await publish(again, 'cold', '1.1.0')).status, 403)
      assert.equal((await publish(again, 'fine', '1.1.0')).status, 201)
      await auditLog(again.ports)
    } finally {
      await again.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('files of the log that are gone are made again at the start; one that says something else is evidence', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  try {
    const first = await startLive({ folder })
    await publish(first, 'kept', '1.0.0')
    await first.stop()
    await rm(join(folder, 'log'), { recursive: true })
    const second = await startLive({ folder })
    await auditLog(second.ports)
    const size = (await second.ports.log.published())?.size ?? 0
    await second.stop()
    const tile = join(folder, 'log/tile/0/000.p', String(size))
    await rm(tile)
    await writeFile(tile, Buffer.alloc(size * 32, 7))
    await assert.rejects(startLive({ folder }), { code: 'log-forked' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a disk that lost what it was given stops the signing until a restart, and is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  let isBroken = false
  const files = (works: LogWorks): LogWorks['files'] => ({
    ...works.files,
    async settle(paths) {
      if (isBroken) throw problem('log-unsynced', { why: 'EIO: i/o error, fdatasync' })
      return works.files.settle(paths)
    },
  })
  const parts = (works: LogWorks): LogWorks => ({ ...works, files: files(works) })
  const live = await startLive({
    folder,
    replaced: { openPorts: (config, clock) => openPorts(config, clock, parts) },
  })
  try {
    assert.equal((await publish(live, 'lost', '1.0.0')).status, 201)
    // The folder follows what is published: until it shows that, the disk is still being given the last of it.
    const isShown = async () =>
      (await readFile(join(folder, 'log/checkpoint'), 'utf8').catch(() => '')) ===
      (await live.ports.log.published())?.note
    while (!(await isShown())) await delay(20)
    isBroken = true
    assert.equal((await publish(live, 'lost', '1.1.0')).status, 201)
    while ((await live.ports.log.state()).halted === '') await delay(20)
    isBroken = false
    const before = await live.ports.log.published()
    assert.equal((await publish(live, 'lost', '1.2.0')).status, 503)
    await quarantine(live, 'lost', '1.0.0')
    assert.deepEqual(await versionsOf(live, 'lost'), ['1.1.0'])
    assert.deepEqual(await live.ports.log.published(), before)
    const ready = await request(live.url, 'GET', '/-/health/ready')
    assert.match(ready.body.toString(), /nothing is signed: The disk did not keep .* EIO/)
  } finally {
    await live.stop()
  }
  const again = await startLive({ folder })
  try {
    assert.equal((await publish(again, 'lost', '1.2.0')).status, 201)
    await auditLog(again.ports)
  } finally {
    await again.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('places that a power cut took back after their tree was signed are given again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const database = join(folder, 'holdfast.db')
  let isSilent = false
  const silent = (works: LogWorks): LogWorks => {
    const cosign: LogWorks['witnesses']['cosign'] = async (...asked) =>
      isSilent ? { lines: [], isQuorumMet: false } : works.witnesses.cosign(...asked)
    return { ...works, witnesses: { ...works.witnesses, cosign } }
  }
  try {
    const first = await openPorts(configIn(folder), Date.now, silent)
    await hostNames(first.ports, operator, [parseNamePattern('acme')])
    assert.ok(await first.ports.log.covered())
    const { size } = await first.ports.store.log.head()
    isSilent = true
    for (const name of ['acme-a', 'acme-b']) await hostNames(first.ports, operator, [parseNamePattern(name)])
    const waiting = first.ports.log.covered()
    while (((await first.logWorks.signer.mark())?.size ?? 0) < size + 2) await delay(20)
    assert.equal(await waiting, false)
    await first.close()
    takePlacesBack(database)
    const second = await openPorts(configIn(folder))
    await second.log.check()
    assert.equal((await second.ports.store.log.head()).size, size + 2)
    await auditLog(second.ports)
    await second.close()
    const other = new DatabaseSync(database)
    other.exec(
      `update event set leaf_hash = '${Buffer.alloc(32).toString('base64')}' where leaf like '%acme-b%'`,
    )
    other.close()
    takePlacesBack(database)
    const third = await openPorts(configIn(folder))
    await assert.rejects(third.log.check(), { code: 'log-behind' }).finally(() => third.close())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** As a database without the last transaction of the log. */
function takePlacesBack(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(
    `delete from log_leaf; delete from log_published; update log_head set size = 0, position = 0, hashes = x'', root = x'${createHash('sha256').digest('hex')}'`,
  )
  database.close()
}

test('a checkpoint that a slow process puts back does not stay', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  let hold: Promise<unknown> | undefined
  const slow = (works: LogWorks): LogWorks => {
    const replaceCheckpoint = async (note: string) => {
      await hold
      await works.files.replaceCheckpoint(note)
    }
    return { ...greedy(works), files: { ...works.files, replaceCheckpoint } }
  }
  const one = await openPorts(configIn(folder), Date.now, slow)
  const two = await openPorts(configIn(folder), Date.now, greedy)
  const host = async ({ ports }: Opened, name: string) => {
    await hostNames(ports, operator, [parseNamePattern(name)])
    assert.ok(await ports.log.covered())
  }
  try {
    let release = () => {}
    hold = new Promise<void>(resolve => {
      release = resolve
    })
    await host(one, 'acme-one')
    await delay(100)
    await host(two, 'acme-two')
    await two.close()
    release()
    await one.close()
    const note = await readFile(join(folder, 'log', 'checkpoint'), 'utf8')
    assert.equal(Number(note.split('\n')[1]), 2)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
