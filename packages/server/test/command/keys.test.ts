// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  decodeLeaf,
  type PackageName,
  parseNamePattern,
  parseNote,
  parseVerifierKey,
  type Version,
  verifyNote,
  webCrypto,
} from '@holdfast/core'
import { deprecate, hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument, put, tokenOf } from '../live.ts'
import { freshPath, holdfast, serve, withPorts } from './command-line.ts'
import { makeInstance, publishOne } from './instance.ts'

interface Key {
  readonly keyid: string
  readonly key: string
  readonly expires: string | null
}

interface Packument {
  readonly time: Readonly<Record<string, string>>
  readonly versions: Readonly<
    Record<string, { dist: { integrity: string; signatures: readonly { keyid: string; sig: string }[] } }>
  >
}

async function makeFolder(...versions: readonly string[]): Promise<{ data: string; token: string }> {
  const data = freshPath()
  const token = await withPorts(data, async ({ ports }) => {
    await hostNames(ports, operator, [parseNamePattern('*')])
    for (const version of versions) await publishOne(ports, 'widget', version)
    return tokenOf(ports, 'alice')
  })
  return { data, token }
}

const readKeys = async (url: string): Promise<readonly Key[]> =>
  (await (await fetch(`${url}/npm/-/npm/v1/keys`)).json()).keys

/** As npm does it: every signature names a known key, which may not have ended before the version came, and holds. */
async function auditSignatures(url: string, name = 'widget'): Promise<ReadonlyMap<string, string>> {
  const keys = new Map((await readKeys(url)).map(key => [key.keyid, key]))
  const { time, versions }: Packument = await (await fetch(`${url}/npm/${name}`)).json()
  return new Map(
    Object.entries(versions).map(([version, { dist }]) => {
      for (const { keyid, sig } of dist.signatures) {
        const key = keys.get(keyid) ?? assert.fail(`${version} is signed by an unknown key`)
        const isGood = key.expires === null || Date.parse(time[version] ?? '') < Date.parse(key.expires)
        assert.ok(isGood, `the key of ${version} had ended`)
        const spki = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
        const text = Buffer.from(`${name}@${version}:${dist.integrity}`)
        assert.ok(
          verify('sha256', text, { key: spki, dsaEncoding: 'der' }, Buffer.from(sig, 'base64')),
          version,
        )
      }
      return [version, dist.signatures.map(each => each.keyid).join()]
    }),
  )
}

async function waitFor(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await look()) return
    await delay(50)
  }
  assert.fail(what)
}

async function leavesOf(data: string, of: 'npm' | 'log' = 'npm'): Promise<readonly string[]> {
  return withPorts(data, async ({ ports }) => {
    const events = await ports.store.events.search({ type: 'key' }, Number.MAX_SAFE_INTEGER, 100)
    return events
      .map(({ leaf }) => decodeLeaf(leaf ?? '{}'))
      .filter(({ use }) => use === of)
      .map(({ op, use, keyid, since }) => [op, use, keyid, since].filter(Boolean).join(' '))
      .reverse()
  })
}

test('a running server signs with the new npm key within a second, and the former one goes on vouching for what it signed', async () => {
  const { data, token } = await makeFolder('1.0.0')
  const { url, stop } = await serve(data)
  const [before] = await readKeys(url)
  const rotated = await holdfast('operator', 'keys', 'rotate', '--use', 'npm', '--data', data)
  assert.equal(rotated.code, 0, rotated.err)
  await waitFor('the server does not list the new key', async () => (await readKeys(url)).length === 2)
  const [former, current] = await readKeys(url)
  assert.equal(former?.keyid, before?.keyid)
  assert.ok(former?.expires && current?.expires === null)
  const done = await put({ url, token }, 'gadget', publishDocument('gadget', '1.0.0'))
  assert.equal(done.status, 201, await done.text())
  assert.deepEqual([...(await auditSignatures(url)).values()], [former?.keyid])
  assert.deepEqual([...(await auditSignatures(url, 'gadget')).values()], [current?.keyid])
  const listed = await holdfast('operator', 'keys', 'list', '--data', data)
  assert.equal(
    listed.out.replace(/^log.*\n/gm, ''),
    `npm\t${former?.keyid}\tuntil ${former?.expires}\nnpm\t${current?.keyid}\tsigns\n`,
  )
  assert.deepEqual(await leavesOf(data), [
    `add npm ${former?.keyid}`,
    `retire npm ${former?.keyid}`,
    `add npm ${current?.keyid}`,
  ])
  await stop()
})

test('what a stolen npm key signed since then is signed again, and the key vouches for it no longer', async () => {
  const { data } = await makeFolder('1.0.0')
  await delay(20)
  const since = new Date().toISOString()
  await withPorts(data, async ({ ports }) => void (await publishOne(ports, 'widget', '1.1.0')))
  const { url, stop } = await serve(data)
  assert.equal(new Set((await auditSignatures(url)).values()).size, 1)
  const words = ['operator', 'keys', 'rotate', '--use', 'npm', '--compromised-since', since, '--data', data]
  const rotated = await holdfast(...words)
  assert.match(rotated.out, /; 1 versions are signed again\./, rotated.err)
  await waitFor('the server does not list the new key', async () => (await readKeys(url)).length === 2)
  const [stolen, current] = await readKeys(url)
  assert.equal(stolen?.expires, since)
  assert.deepEqual(
    [...(await auditSignatures(url))],
    [
      ['1.0.0', stolen?.keyid],
      ['1.1.0', current?.keyid],
    ],
  )
  assert.equal((await leavesOf(data)).at(-1), `distrust npm ${stolen?.keyid} ${Date.parse(since)}`)
  await stop()
})

test('a time that has not been is no time since when a key is stolen', async () => {
  const { data } = await makeFolder()
  for (const time of ['2999-01-01T00:00:00Z', 'yesterday', '2026-01-01T00:00:00'])
    assert.equal(
      (
        await holdfast(
          'operator',
          'keys',
          'rotate',
          '--use',
          'npm',
          '--compromised-since',
          time,
          '--data',
          data,
        )
      ).code,
      2,
    )
  assert.equal((await leavesOf(data)).length, 0)
})

test('checkpoints have the signatures of both log keys from a rotation on, and whoever pinned one of them verifies', async () => {
  const { data, token } = await makeFolder()
  const { url, stop } = await serve(data)
  const readVkeys = async () => (await (await fetch(`${url}/log/vkeys`)).text()).trim().split('\n')
  const [former = ''] = await readVkeys()
  assert.equal((await put({ url, token }, 'gadget', publishDocument('gadget', '1.0.0'))).status, 201)
  const rotated = await holdfast('operator', 'keys', 'rotate', '--use', 'log', '--data', data)
  assert.equal(rotated.code, 0, rotated.err)
  await waitFor('the server does not list the new key', async () => (await readVkeys()).length === 2)
  assert.equal((await put({ url, token }, 'gadget', publishDocument('gadget', '1.1.0'))).status, 201)
  const [current = '', listed] = await readVkeys()
  assert.equal(listed, former)
  const note = parseNote(await (await fetch(`${url}/log/checkpoint`)).text())
  for (const vkey of [former, current])
    await verifyNote(webCrypto, note, [await parseVerifierKey(webCrypto, vkey)])
  const trust = await (await fetch(`${url}/log/trust`)).json()
  assert.deepEqual(trust.vkeys, [current, former])
  const leaves = await leavesOf(data, 'log')
  const [one, two] = [former, current].map(vkey => vkey.split('+')[1])
  assert.deepEqual(
    leaves.map(each => each.replace(/^(retire .*) \d+$/, '$1 TIME')),
    [`add log ${one}`, `retire log ${one} TIME`, `add log ${two}`],
  )
  await stop()
  const again = await serve(data)
  assert.equal((await fetch(`${again.url}/log/checkpoint`)).status, 200)
  await again.stop()
})

test('a stolen log key is not put right by a new one', async () => {
  const { data } = await makeFolder()
  const words = [
    'operator',
    'keys',
    'rotate',
    '--use',
    'log',
    '--compromised-since',
    '2026-01-01',
    '--data',
    data,
  ]
  assert.equal((await holdfast(...words)).code, 2)
  assert.deepEqual(await leavesOf(data, 'log'), [])
})

test('the document of an entry is erased once, the entry stays, and the erasure is one', async () => {
  const { data } = await makeInstance()
  const digest = await withPorts(data, async ({ ports }) => {
    const name = '@acme/widget' as PackageName
    await deprecate(ports, operator, name, undefined, new Map([['1.0.0' as Version, 'call Ada Example']]))
    assert.ok(await ports.log.covered())
    const entries = await ports.store.log.ofPackage(name)
    const { msg } = decodeLeaf(Buffer.from(entries.at(-1)?.entry ?? []).toString('utf8'))
    assert.match((await ports.store.leafDocuments.find(String(msg))) ?? '', /Ada Example/)
    return String(msg)
  })
  const erase = () => holdfast('operator', 'erase-document', digest, '--data', data)
  assert.equal((await erase()).code, 0)
  await withPorts(data, async ({ ports }) => {
    assert.equal(await ports.store.leafDocuments.find(digest), undefined)
    assert.ok(await ports.log.covered())
    const { size } = await ports.store.log.head()
    const [last] = await ports.store.log.readEntries(size - 1, size)
    const { type, op, config } = decodeLeaf(Buffer.from(last?.entry ?? []).toString('utf8'))
    assert.deepEqual([type, op, config], ['operator', 'erase', digest])
  })
  const again = await erase()
  assert.notEqual(again.code, 0)
  assert.match(again.err, /There is no document sha256-/)
})
