// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { parsePackageName } from '@holdfast/core'
import fc from 'fast-check'
import { readSourceLines } from '../../mirror-source.ts'
import { type Reading, type ReadingWords, readPackument } from './read-packument.ts'

const now = Date.UTC(2026, 0, 1)
const url = 'https://registry.example/repo'
const name = parsePackageName('left-pad')

function read(body: string | Buffer, more: Partial<ReadingWords> = {}): Reading {
  const pieces = [new Uint8Array(Buffer.from(body))]
  const words = {
    name,
    origin: 'public',
    url,
    isGzip: false,
    maxBytes: 1 << 20,
    keys: [],
    before: undefined,
    now,
  }
  return readPackument({ ...words, ...more, pieces })
}

function versionOf(version: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    ...more,
    name,
    version,
    dist: {
      tarball: `${url}/left-pad/-/left-pad-${version}.tgz`,
      integrity: `sha512-${createHash('sha512').update(version).digest('base64')}`,
    },
  }
}

function documentOf(versions: readonly string[], manifest = {}) {
  return {
    name,
    description: 'pads ü',
    'dist-tags': { latest: versions.at(-1) },
    versions: Object.fromEntries(versions.map(each => [each, versionOf(each, manifest)])),
    time: Object.fromEntries(versions.map((each, index) => [each, new Date(index * 1000).toISOString()])),
  }
}

/** What holds of every mirror, however its document came to be. */
function checkHolds(reading: Reading): void {
  if (reading.kind !== 'told') return
  const { versions, tags } = reading.content
  const lines = [...readSourceLines(reading.source)].map(String)
  assert.equal(lines.length, versions.length + 1)
  const listed = new Set(versions.map(({ version }) => version))
  assert.equal(listed.size, versions.length)
  for (const [index, each] of versions.entries()) {
    const line = JSON.parse(lines[index + 1] ?? '')
    assert.deepEqual([line.name, line.version, line.dist], [name, each.version, undefined])
    assert.ok(each.digest !== undefined || /^[0-9a-f]{40}$/.test(each.shasum))
    assert.equal(new URL(each.tarball).origin, 'https://registry.example')
    assert.ok(each.publishedAt <= now && each.knownSince >= each.publishedAt)
    assert.ok((versions[index - 1]?.publishedAt ?? 0) <= each.publishedAt)
  }
  for (const version of tags.values()) assert.ok(listed.has(version))
}

const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map(numbers => numbers.join('.'))

test('whatever a manifest holds, its line says the same, in any order and spacing of the document', () => {
  const manifest = fc.dictionary(
    fc
      .string({ minLength: 1 })
      .filter(key => !/^(name|version|dist|deprecated|_npmUser|readme|__proto__|constructor)$/.test(key)),
    // Ways to the prototype are taken out.
    fc.jsonValue({ maxDepth: 4 }).filter(value => !/__proto__|constructor/.test(JSON.stringify(value))),
    { maxKeys: 6 },
  )
  fc.assert(
    fc.property(
      fc.uniqueArray(version, { minLength: 1, maxLength: 8 }),
      manifest,
      fc.nat(4),
      fc.boolean(),
      (list, fields, spaces, isGzip) => {
        // Listed in another order than they were published in, half of the time.
        const document = documentOf(list, fields)
        const versions = Object.fromEntries(Object.entries(document.versions).reverse())
        const text = JSON.stringify(
          spaces % 2 === 0 ? document : { ...document, versions },
          undefined,
          spaces,
        )
        const reading = read(isGzip ? gzipSync(text) : text, { isGzip })
        checkHolds(reading)
        assert.ok(reading.kind === 'told')
        assert.deepEqual(
          reading.content.versions.map(each => each.version),
          list,
        )
        const line = JSON.parse([...readSourceLines(reading.source)].map(String)[1] ?? '')
        assert.deepEqual(line, JSON.parse(JSON.stringify({ ...fields, name, version: list[0] })))
      },
    ),
    { numRuns: 200 },
  )
})

test('bytes changed, cut out or doubled anywhere give a refusal or a mirror that holds, and never a crash', () => {
  const good = Buffer.from(
    JSON.stringify(documentOf(['1.0.0', '1.1.0', '2.0.0-rc.1'], { scripts: { install: 'x' } })),
  )
  const place = fc.nat(good.length - 1)
  const change = fc.oneof(
    fc.tuple(place, fc.constantFrom(...Buffer.from('{}[]":,\\0 \n'), 0, 0xff)).map(([at, byte]) => {
      const changed = Buffer.from(good)
      changed[at] = byte
      return changed
    }),
    fc.tuple(place, place).map(([from, to]) => Buffer.concat([good.subarray(0, from), good.subarray(to)])),
  )
  fc.assert(
    fc.property(change, body => checkHolds(read(body))),
    { numRuns: 3000 },
  )
})

test('every member replaced by anything gives a refusal or a mirror that holds', () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('', '__proto__', -1, 1e300, true, null),
  )
  const paths = [
    ['name'],
    ['dist-tags'],
    ['dist-tags', 'latest'],
    ['versions'],
    ['versions', '1.0.0'],
    ['time'],
    ['time', '1.0.0'],
    ['description'],
    ['readme'],
    ['maintainers'],
    ...[
      'name',
      'version',
      'dist',
      'scripts',
      'dependencies',
      'optionalDependencies',
      '_npmUser',
      'deprecated',
    ].map(key => ['versions', '1.0.0', key]),
    ...['tarball', 'integrity', 'shasum', 'signatures', 'attestations', 'fileCount', 'unpackedSize'].map(
      key => ['versions', '1.0.0', 'dist', key],
    ),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...paths), anything, (path, value) => {
      const document: unknown = documentOf(['1.0.0', '1.1.0'])
      put(document, path, value)
      checkHolds(read(JSON.stringify(document)))
    }),
    { numRuns: 2000 },
  )
})

function put(target: unknown, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (typeof target !== 'object' || target === null) return
  if (rest.length === 0) Object.assign(target, { [key]: value })
  else put(Reflect.get(target, key), rest, value)
}

test('lists of dependencies that are each another are refused, the same list a thousand times is not', () => {
  const names = (from: number) =>
    Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`d${from + i}`, '1']))
  const document = (isSame: boolean) => ({
    name,
    versions: Object.fromEntries(
      Array.from({ length: 110 }, (_, i) => [
        `1.0.${i}`,
        versionOf(`1.0.${i}`, { dependencies: names(isSame ? 0 : i * 5000) }),
      ]),
    ),
  })
  const [same, others] = [true, false].map(isSame =>
    read(JSON.stringify(document(isSame)), { maxBytes: 1 << 26 }),
  )
  assert.equal(same?.kind, 'told')
  assert.ok(others?.kind === 'refused' && /500000 dependencies/.test(others.why))
})
