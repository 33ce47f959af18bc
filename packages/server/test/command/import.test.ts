// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type DistTag, parseNamePattern, parsePackageName, parseVersion, tokenChecksum } from '@holdfast/core'
import { ensureAccount, hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { ended, freshPath, holdfast, serve, start, withPorts } from './command-line.ts'

const widget = parsePackageName('@acme/widget')
const latest = 'latest' as DistTag

async function write(folder: string, files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  for (const [path, body] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), body)
  }
  return folder
}

/** Hosts `@acme/*`. */
function host(data: string): Promise<void> {
  return withPorts(data, ({ ports }) => hostNames(ports, operator, [parseNamePattern('@acme/*')]))
}

function pack(name: string, version: string, more: Readonly<Record<string, unknown>> = {}): Buffer {
  return packPackage(
    { name, version, description: `${name} for tests`, ...more },
    { 'index.js': `'${version}'` },
  )
}

test('a folder of tarballs goes in, each version as old as its file, and a second time nothing is done', async () => {
  const data = freshPath()
  const folder = await write(freshPath(), {
    'a/acme-widget-1.9.0.tgz': pack('@acme/widget', '1.9.0'),
    'a/acme-widget-1.10.0.tgz': pack('@acme/widget', '1.10.0', { bin: './cli.js' }),
    'acme-widget-2.0.0-beta.1.tgz': pack('@acme/widget', '2.0.0-beta.1'),
    'notes.txt': 'not a tarball',
  })
  await utimes(join(folder, 'a/acme-widget-1.9.0.tgz'), 1_500_000_000, 1_500_000_000)
  await host(data)
  const first = await holdfast('import', folder, '--data', data, '--json')
  assert.equal(first.code, 0, first.err)
  assert.equal(JSON.parse(first.out).imported, 3)
  await withPorts(data, async ({ ports: { store } }) => {
    assert.equal((await store.catalog.listTags(widget)).get(latest), '1.10.0')
    const facts = await store.catalog.findVersion(widget, parseVersion('1.9.0'))
    assert.equal(facts?.publishedAt, 1_500_000_000_000)
    const newest = await store.catalog.findVersion(widget, parseVersion('1.10.0'))
    assert.deepEqual(JSON.parse(newest?.manifest ?? '').bin, { widget: 'cli.js' })
    assert.equal((await store.catalog.findPackage(widget))?.description, '@acme/widget for tests')
    const told = (await store.events.ofPackage(widget)).map(({ type }) => type)
    assert.deepEqual(told, ['publish', 'publish', 'publish', 'dist-tag'])
  })
  const again = JSON.parse((await holdfast('import', folder, '--data', data, '--json')).out)
  assert.deepEqual([again.imported, again.skipped, again.refused], [0, 3, []])
})

test('what must not go in is refused with its reason, and everything else goes in', async () => {
  const data = freshPath()
  await host(data)
  const good = await write(freshPath(), { 'widget.tgz': pack('@acme/widget', '1.0.0') })
  await holdfast('import', good, '--data', data)
  const body = `holdfast_abcd1234_${'7'.repeat(32)}`
  const token = body + tokenChecksum(body)
  const folder = await write(freshPath(), {
    'changed.tgz': pack('@acme/widget', '1.0.0', { main: 'other.js' }),
    'good.tgz': pack('@acme/widget', '1.1.0'),
    'broken.tgz': 'this is no gzip',
    'leaky.tgz': pack('@acme/leaky', '1.0.0', { description: `use ${token}` }),
    'nameless.tgz': packPackage({ version: '1.0.0' }),
    'other.tgz': pack('left-pad', '1.0.0'),
    'twin-1.tgz': pack('@acme/twin', '1.0.0'),
    'twin-2.tgz': pack('@acme/twin', '1.0.0', { main: 'other.js' }),
  })
  const { code, out } = await holdfast('import', folder, '--data', data, '--json')
  const report = JSON.parse(out)
  assert.equal(code, 1)
  assert.equal(report.imported, 2)
  const codes = report.refused.map((each: { source: string; code: string }) => [each.source, each.code])
  assert.deepEqual(codes.sort(), [
    ['broken.tgz', 'bad-tarball'],
    ['changed.tgz', 'version-exists'],
    ['leaky.tgz', 'token-in-package'],
    ['nameless.tgz', 'invalid-package-name'],
    ['other.tgz', 'name-not-hosted'],
    ['twin-2.tgz', 'version-exists'],
  ])
})

test('a name that is not hosted is refused with the command that hosts it, and taken when that is wished', async () => {
  const data = freshPath()
  const folder = await write(freshPath(), { 'left-pad.tgz': pack('left-pad', '1.0.0') })
  const refused = await holdfast('import', folder, '--data', data)
  assert.equal(refused.code, 1)
  assert.ok(refused.out.includes(`npx holdfast operator host --data '${data}' 'left-pad'`), refused.out)
  const taken = await holdfast('import', folder, '--data', data, '--host-names')
  assert.equal(taken.code, 0, taken.out)
  const hosted = await withPorts(data, ({ ports }) => ports.store.catalog.listHosted())
  assert.deepEqual(hosted, ['left-pad'])
})

test('a name that looks like another goes in and is told', async () => {
  const data = freshPath()
  const folder = await write(freshPath(), {
    '1.tgz': pack('left-pad', '1.0.0'),
    '2.tgz': pack('leftpad', '1.0.0'),
  })
  const { out } = await holdfast('import', folder, '--data', data, '--host-names', '--json')
  assert.deepEqual(JSON.parse(out).lookAlikes, [{ name: 'leftpad', looksLike: 'left-pad' }])
})

test('a Verdaccio storage keeps its times, tags, deprecations and people, and its cache stays out', async () => {
  const data = freshPath()
  const storage = await writeVerdaccio()
  const ada = await withPorts(data, async ({ ports }) => (await ensureAccount(ports, operator, 'ada')).id)
  const { code, out } = await holdfast('import', storage, '--data', data, '--host-names', '--json')
  const report = JSON.parse(out)
  assert.equal(code, 1)
  assert.equal(report.imported, 2, out)
  assert.deepEqual(
    report.refused.map((each: { source: string; code: string }) => [each.source, each.code]).sort(),
    [
      ['@acme/widget/widget-1.2.0.tgz', 'digest-mismatch'],
      ['@acme/widget/widget-1.3.0.tgz', 'file-unreadable'],
    ],
  )
  assert.equal(report.notes.length, 1)
  await withPorts(data, async ({ ports: { store } }) => {
    assert.deepEqual(await store.catalog.listNames('', 10), [widget])
    const tags = await store.catalog.listTags(widget)
    assert.deepEqual(Object.fromEntries(tags), { latest: '1.0.0', next: '1.1.0' })
    const facts = await store.catalog.listKeptFacts(widget)
    assert.deepEqual(
      facts.map(each => [each.version, each.publishedAt, each.deprecated]),
      [
        ['1.0.0', Date.parse('2020-01-01T00:00:00.000Z'), 'use 1.1.0'],
        ['1.1.0', Date.parse('2021-01-01T00:00:00.000Z'), ''],
      ],
    )
    assert.equal(await store.identity.roleOn(ada, widget), 'maintainer')
    assert.equal((await store.catalog.findPackage(widget))?.createdAt, Date.parse('2020-01-01T00:00:00.000Z'))
  })
})

/** As Verdaccio 6 writes it: two good versions, one whose bytes changed, one lost, one cached from an upstream. */
async function writeVerdaccio(): Promise<string> {
  const tarballs = ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '0.9.0'].map(version => ({
    version,
    bytes: pack('@acme/widget', version),
  }))
  const versions = tarballs.map(({ version, bytes }) => {
    const dist = {
      shasum: createHash('sha1')
        .update(version === '1.2.0' ? 'other bytes' : bytes)
        .digest('hex'),
      tarball: `http://localhost:4873/@acme%2fwidget/-/widget-${version}.tgz`,
    }
    const deprecated = version === '1.0.0' ? { deprecated: 'use 1.1.0' } : {}
    const people = {
      maintainers: [{ name: 'ada', email: 'ada@example.com' }],
      _npmUser: { name: 'nobody-here' },
    }
    const manifest = {
      name: '@acme/widget',
      version,
      description: '@acme/widget for tests',
      dist,
      ...deprecated,
      ...people,
    }
    return [version, manifest] as const
  })
  const packument = {
    name: '@acme/widget',
    versions: Object.fromEntries(versions),
    time: { '1.0.0': '2020-01-01T00:00:00.000Z', '1.1.0': '2021-01-01T00:00:00.000Z' },
    'dist-tags': { latest: '1.0.0', next: '1.1.0' },
    _distfiles: { 'widget-0.9.0.tgz': { url: 'https://registry.example/widget-0.9.0.tgz', sha: '' } },
    _uplinks: {},
    readme: '# Widget',
  }
  const kept = tarballs.filter(({ version }) => version !== '1.3.0')
  return write(freshPath(), {
    '.verdaccio-db.json': JSON.stringify({ list: ['@acme/widget'], secret: 'x' }),
    '@acme/widget/package.json': JSON.stringify(packument),
    'lodash/package.json': JSON.stringify({ name: 'lodash', versions: {} }),
    ...Object.fromEntries(kept.map(({ version, bytes }) => [`@acme/widget/widget-${version}.tgz`, bytes])),
  })
}

test('an import that was killed goes on where it was, beside a running server that shows everything', async () => {
  const data = freshPath()
  const files = Array.from(
    { length: 420 },
    (_, at) => [`${at}.tgz`, pack(`@acme/p${at % 4}`, `1.${at}.0`)] as const,
  )
  const folder = await write(freshPath(), Object.fromEntries(files))
  await host(data)
  const server = await serve(data)
  const child = start('import', folder, '--data', data)
  const end = ended(child)
  await withPorts(data, async ({ ports: { store } }) => {
    // Somewhere behind the first batch; wherever it is, the outcome is the same.
    while ((await store.events.head()) < 2 && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 5))
  })
  child.kill('SIGKILL')
  await end
  const second = await holdfast('import', folder, '--data', data, '--json')
  assert.equal(second.code, 0, second.err)
  const { imported, skipped } = JSON.parse(second.out)
  assert.equal(imported + skipped, 420)
  const packument = await (await fetch(`${server.url}/npm/@acme%2fp3`)).json()
  assert.equal(Object.keys(packument.versions).length, 105)
  assert.equal(packument['dist-tags'].latest, '1.419.0')
  await server.stop()
  await withPorts(data, async ({ ports: { store, blobs } }) => {
    const events = await store.events.read(0, 2000)
    assert.equal(events.filter(event => event.type === 'publish').length, 420)
    for await (const page of store.catalog.versions(parsePackageName('@acme/p3'))) {
      for (const { digest, sizeBytes } of page) assert.equal(await blobs.size(digest), sizeBytes)
    }
  })
})
