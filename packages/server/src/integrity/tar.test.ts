// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { isProblem } from '@holdfast/core'
import {
  formatPaxRecord,
  packEntry,
  packPackage,
  packPax,
  packTarball,
  streamOf,
  type TarEntry,
  tarEnd,
} from '../../test/fixture/tarball.ts'
import { defaultInspectLimits, inspectTarball } from './inspect.ts'
import type { TarballFault } from './tar-fault.ts'

const manifest: TarEntry = { path: 'package/package.json', body: '{"name":"a","version":"1.0.0"}' }
const good = packTarball([manifest])
const longPath = `package/${'folder/'.repeat(20)}file.js`

function withEntry(entry: Partial<TarEntry>): Buffer {
  return packTarball([manifest, { path: 'package/x', ...entry }])
}

function withPath(path: string): Buffer {
  return withEntry({ path })
}

function withPax(records: Readonly<Record<string, string>>, type?: string): Buffer {
  return packTarball([manifest, packPax(records, type), { path: 'package/x', body: 'abc' }])
}

function damage(tarball: Buffer, offset: number): Buffer {
  const copy = Buffer.from(tarball)
  copy.writeUInt8(copy.readUInt8(copy.length + offset) ^ 1, copy.length + offset)
  return copy
}

const bad: readonly (readonly [what: string, tarball: Buffer, fault: TarballFault])[] = [
  ['nothing', Buffer.alloc(0), 'truncated'],
  ['text', Buffer.from('hello, this is not a tarball at all'), 'not-gzip'],
  ['an archive without compression', gunzipSync(good), 'not-gzip'],
  ['gzip of nothing', gzipSync(''), 'truncated'],
  [
    'gzip with reserved flags',
    Buffer.concat([good.subarray(0, 3), Buffer.from([0x20]), good.subarray(4)]),
    'not-gzip',
  ],
  ['gzip cut in its data', good.subarray(0, -20), 'truncated'],
  ['gzip cut in its checksum', good.subarray(0, -5), 'truncated'],
  ['gzip with a wrong checksum', damage(good, -6), 'not-gzip'],
  ['gzip with a wrong length', damage(good, -2), 'not-gzip'],
  ['gzip with damaged data', damage(good, -30), 'not-gzip'],
  [
    'gzip with data that is no deflate stream',
    Buffer.concat([good.subarray(0, 10), Buffer.alloc(100, 0xff)]),
    'not-gzip',
  ],
  ['bytes behind the gzip data', Buffer.concat([good, Buffer.from('x')]), 'hidden-bytes'],
  [
    'bytes behind zeros behind the gzip data',
    Buffer.concat([good, Buffer.alloc(20), Buffer.from('x')]),
    'hidden-bytes',
  ],
  ['a second gzip member', Buffer.concat([good, gzipSync('more')]), 'hidden-bytes'],
  ['an archive cut in a header', gzipSync(gunzipSync(good).subarray(0, 300)), 'truncated'],
  ['an archive cut in a file', gzipSync(gunzipSync(good).subarray(0, 520)), 'truncated'],
  ['an archive without an end mark', gzipSync(packEntry(manifest)), 'truncated'],
  [
    'an entry behind the first block of zeros',
    gzipSync(Buffer.concat([packEntry(manifest), tarEnd.subarray(512), packEntry(manifest), tarEnd])),
    'hidden-bytes',
  ],
  ['junk behind the end mark', packTarball([manifest, tarEnd, Buffer.from('junk')]), 'hidden-bytes'],
  ['a megabyte of zeros behind the end mark', packTarball([manifest, Buffer.alloc(2 ** 21)]), 'hidden-bytes'],
  ['no entries', packTarball([]), 'no-manifest'],
  ['no package.json', packTarball([{ path: 'package/index.js' }]), 'no-manifest'],
  [
    'package.json in a folder below',
    packTarball([{ ...manifest, path: 'package/a/package.json' }]),
    'no-manifest',
  ],
  ['package.json that is a list', packTarball([{ ...manifest, body: '[]' }]), 'bad-manifest'],
  ['package.json that is text', packTarball([{ ...manifest, body: '"a"' }]), 'bad-manifest'],
  ['package.json that is empty', packTarball([{ ...manifest, body: '' }]), 'bad-manifest'],
  ['package.json that is not JSON', packTarball([{ ...manifest, body: '{name: "a"}' }]), 'bad-manifest'],
  [
    'package.json with two names',
    packTarball([{ ...manifest, body: '{"name":"a","name":"b"}' }]),
    'bad-manifest',
  ],
  [
    'package.json with one script twice',
    packTarball([{ ...manifest, body: '{"scripts":{"install":"a","inst\\u0061ll":"b"}}' }]),
    'bad-manifest',
  ],
  [
    'package.json nested deeply',
    packTarball([{ ...manifest, body: `{"a":${'['.repeat(1000)}` }]),
    'bad-manifest',
  ],
  [
    'package.json over a megabyte',
    packTarball([{ ...manifest, body: `"${' '.repeat(2 ** 20)}"` }]),
    'bad-manifest',
  ],
  ['package.json twice', packTarball([manifest, manifest]), 'duplicate-path'],
  ['package.json by its short name', withPath('package/PACKAG~1.JSO'), 'twin-path'],
  ['an absolute path', withPath('/etc/passwd'), 'bad-path'],
  ['an absolute path behind the top folder', withPath('package//etc/passwd'), 'bad-path'],
  ['a path that climbs', withPath('package/../../x'), 'bad-path'],
  ['a path that climbs at once', withPath('../x'), 'bad-path'],
  ['a path that climbs at its end', withPath('package/a/..'), 'bad-path'],
  [
    'a manifest behind a dot segment',
    packTarball([{ ...manifest, path: 'package/./package.json' }]),
    'bad-path',
  ],
  ['a drive behind a dot segment', withPath('package/./c:x'), 'bad-path'],
  ['a path that ends in a dot segment', withPath('package/a/.'), 'bad-path'],
  [
    'one file with and without a dot segment',
    packTarball([manifest, { path: 'package/a', body: '1' }, { path: 'package/./a', body: '2' }]),
    'duplicate-path',
  ],
  ['a path that begins with a dot segment', withPath('./package/x'), 'bad-path'],
  ['a path with an empty segment', withPath('package/a//x'), 'bad-path'],
  ['a path with a backslash', withPath('package/a\\x'), 'bad-path'],
  ['a path that climbs by backslashes', withPath('package\\..\\..\\x'), 'bad-path'],
  ['a drive', withPath('C:/x'), 'bad-path'],
  ['a drive behind the top folder', withPath('package/c:x'), 'bad-path'],
  ['a stream of package.json', withPath('package/package.json::$DATA'), 'bad-path'],
  ['a path with a line break', withPath('package/a\nb'), 'bad-path'],
  ['a path that is not UTF-8', withEntry({ raw: [[0, Buffer.from('package/\xff', 'latin1')]] }), 'bad-path'],
  ['a path with bytes behind its end', withEntry({ raw: [[0, 'package/a\0b']] }), 'bad-path'],
  ['a path of spaces and dots', withPath('package/package.json. .'), 'twin-path'],
  [
    'a path that is too long',
    packTarball([
      manifest,
      packPax({ path: `package/${'a/'.repeat(30)}${'b'.repeat(1000)}` }),
      { path: 'x' },
    ]),
    'bad-path',
  ],
  [
    'a path that is too deep',
    packTarball([manifest, packPax({ path: `package/${'a/'.repeat(70)}b` }), { path: 'x' }]),
    'bad-path',
  ],
  ['no path', withPath(''), 'bad-header'],
  ['no path but a prefix', withEntry({ path: '', prefix: 'package/x' }), 'bad-header'],
  ['a symbolic link', withEntry({ type: '2', linkPath: '/etc/passwd' }), 'link'],
  ['a hard link', withEntry({ type: '1', linkPath: 'package/package.json' }), 'link'],
  ['a file with the target of a link', withEntry({ linkPath: 'y' }), 'link'],
  ['a GNU long link', withEntry({ type: 'K', body: 'package/package.json\0' }), 'link'],
  ['a character device', withEntry({ type: '3' }), 'special-file'],
  ['a block device', withEntry({ type: '4' }), 'special-file'],
  ['a pipe', withEntry({ type: '6' }), 'special-file'],
  ['a contiguous file', withEntry({ type: '7' }), 'unknown-type'],
  ['a sparse file', withEntry({ type: 'S' }), 'unknown-type'],
  ['a volume label', withEntry({ type: 'V' }), 'unknown-type'],
  ['an old pax header', withEntry({ type: 'X', body: 'a' }), 'unknown-type'],
  ['an unknown type', withEntry({ type: 'Z' }), 'unknown-type'],
  [
    'a file twice with different bytes',
    packTarball([manifest, { path: 'package/x' }, { path: 'package/x', body: 'x' }]),
    'duplicate-path',
  ],
  ['a case twin', packTarball([manifest, { path: 'package/x' }, { path: 'package/X' }]), 'twin-path'],
  ['a case twin of package.json', withPath('package/Package.json'), 'twin-path'],
  [
    'a case twin by its folder',
    packTarball([manifest, { path: 'package/a/x' }, { path: 'package/A/x' }]),
    'twin-path',
  ],
  [
    'a Unicode twin',
    packTarball([manifest, { path: 'package/\u00e9' }, { path: 'package/e\u0301' }]),
    'twin-path',
  ],
  [
    'a ligature twin',
    packTarball([manifest, { path: 'package/\ufb01x' }, { path: 'package/fix' }]),
    'twin-path',
  ],
  ['an invisible twin', withPath('package/pack\u200dage.json'), 'twin-path'],
  [
    'a file that is also a folder',
    packTarball([manifest, { path: 'package/x' }, { path: 'package/x/y' }]),
    'twin-path',
  ],
  [
    'a folder that is also a file',
    packTarball([manifest, { path: 'package/x/y' }, { path: 'package/X' }]),
    'twin-path',
  ],
  [
    'a folder with the path of a file',
    packTarball([manifest, { path: 'package/x' }, { path: 'package/x/', type: '5' }]),
    'twin-path',
  ],
  ['a second top folder', withPath('other/x'), 'outside-top-folder'],
  ['a second top folder by case', withPath('Package/x'), 'outside-top-folder'],
  ['a file outside any folder', withPath('x'), 'outside-top-folder'],
  [
    'a file in the place of the top folder',
    packTarball([{ path: 'package' }, manifest]),
    'outside-top-folder',
  ],
  ['a wrong checksum', withEntry({ rawAfter: [[0, 'Q']] }), 'bad-header'],
  ['a checksum without an end', withEntry({ rawAfter: [[148, '00012345']] }), 'bad-header'],
  ['a size with a sign', withEntry({ raw: [[124, '-0000000010\0']] }), 'bad-header'],
  ['a size that is not octal', withEntry({ raw: [[124, '00000000009\0']] }), 'bad-header'],
  ['a size with junk behind it', withEntry({ raw: [[124, '0000010 777\0']] }), 'bad-header'],
  [
    'a size in base 256',
    withEntry({ raw: [[124, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])]] }),
    'bad-header',
  ],
  ['a negative size in base 256', withEntry({ raw: [[124, Buffer.alloc(12, 0xff)]] }), 'bad-header'],
  ['a size of 64 gigabytes', withEntry({ sizeBytes: 8 ** 11 - 1 }), 'too-large'],
  ['an owner that no number can be', withEntry({ raw: [[108, Buffer.alloc(8, 0x81)]] }), 'bad-header'],
  [
    'a time that no number can be',
    withEntry({ raw: [[136, Buffer.from([0x80, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])]] }),
    'bad-header',
  ],
  ['a star time that no number can be', withEntry({ raw: [[476, Buffer.alloc(12, 0x90)]] }), 'bad-header'],
  ['a prefix outside ustar', withEntry({ prefix: 'other', raw: [[257, 'ustar  \0']] }), 'bad-header'],
  ['a prefix with bytes behind its end', withEntry({ raw: [[345, 'package\0evil']] }), 'bad-path'],
  ['a folder with a size', withEntry({ path: 'package/x/', type: '5', body: 'abc' }), 'bad-header'],
  ['a file with a slash at its end and a body', withEntry({ path: 'package/x/', body: 'abc' }), 'bad-header'],
  ['a pax header that changes the size', withPax({ size: '512' }), 'bad-pax'],
  ['a pax header with a size of no use', withPax({ size: '-1' }), 'bad-pax'],
  ['a pax header that changes the type', withPax({ type: 'SymbolicLink' }), 'bad-pax'],
  ['a pax header that makes a link', withPax({ linkpath: '/etc/passwd' }), 'bad-pax'],
  ['a pax header with another encoding', withPax({ hdrcharset: 'BINARY' }), 'bad-pax'],
  ['a sparse pax header', withPax({ 'GNU.sparse.name': 'package/y' }), 'bad-pax'],
  ['a pax path that climbs', withPax({ path: 'package/../../y' }), 'bad-path'],
  ['a pax path that is empty', withPax({ path: '' }), 'bad-path'],
  [
    'a pax path that is not UTF-8',
    packTarball([
      manifest,
      packEntry({ path: 'p', type: 'x', body: Buffer.from('11 path=a\xff\n', 'latin1') }),
      { path: 'package/x' },
    ]),
    'bad-path',
  ],
  [
    'a pax value with a line break',
    withPax({ comment: `a\n${formatPaxRecord('path', 'package/y')}` }),
    'bad-pax',
  ],
  [
    'a pax key twice',
    packTarball([
      manifest,
      packEntry({ path: 'p', type: 'x', body: '10 path=a\n10 path=b\n' }),
      { path: 'package/x' },
    ]),
    'bad-pax',
  ],
  [
    'a pax record that is too long',
    packTarball([manifest, packEntry({ path: 'p', type: 'x', body: '99 path=a\n' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  [
    'a pax record with a zero before its length',
    packTarball([manifest, packEntry({ path: 'p', type: 'x', body: '011 path=a\n' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  [
    'a pax record without an end',
    packTarball([manifest, packEntry({ path: 'p', type: 'x', body: '10 path=ab' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  [
    'a pax record without a value',
    packTarball([manifest, packEntry({ path: 'p', type: 'x', body: '8 path\n\n' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  [
    'an empty pax header',
    packTarball([manifest, packEntry({ path: 'p', type: 'x' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  ['a pax header over a megabyte', withPax({ comment: 'a'.repeat(2 ** 20) }), 'bad-pax'],
  [
    'two pax headers for one entry',
    packTarball([manifest, packPax({ a: '1' }), packPax({ path: 'package/y' }), { path: 'package/x' }]),
    'bad-pax',
  ],
  [
    'a pax header and a long path for one entry',
    packTarball([
      manifest,
      packPax({ path: 'package/y' }),
      packEntry({ path: 'L', type: 'L', body: 'package/z\0' }),
      { path: 'package/x' },
    ]),
    'bad-pax',
  ],
  ['a pax header for nothing', packTarball([manifest, packPax({ path: 'package/y' })]), 'bad-pax'],
  ['a global pax header with a path', withPax({ path: 'package/y' }, 'g'), 'bad-pax'],
  ['a global pax header with a size', withPax({ size: '3' }, 'g'), 'bad-pax'],
  [
    'a pax path whose entry claims package.json',
    packTarball([packPax({ path: 'package/y' }), manifest, manifest]),
    'bad-pax',
  ],
  [
    'a pax path whose entry climbs',
    packTarball([manifest, packPax({ path: 'package/y' }), { path: '../x' }]),
    'bad-path',
  ],
  [
    'a long path that climbs',
    packTarball([manifest, packEntry({ path: 'L', type: 'L', body: '../../x\0' }), { path: 'package/x' }]),
    'bad-path',
  ],
  [
    'a long path with bytes behind its end',
    packTarball([
      manifest,
      packEntry({ path: 'L', type: 'L', body: 'package/a\0\nb' }),
      { path: 'package/x' },
    ]),
    'bad-path',
  ],
]

for (const [what, tarball, fault] of bad) {
  test(`a tarball is refused: ${what}`, async () => {
    for (const source of [tarball, streamOf(tarball, 64 * 1024), streamOf(tarball, 7)]) {
      await assert.rejects(inspectTarball(source), caught => {
        assert.ok(isProblem(caught), String(caught))
        assert.equal(caught.code, 'bad-tarball')
        assert.equal(caught.data['fault'], fault, caught.message)
        return true
      })
    }
  })
}

async function faultOf(tarball: Buffer, limits: Partial<typeof defaultInspectLimits>): Promise<unknown> {
  try {
    await inspectTarball(streamOf(tarball), { ...defaultInspectLimits, ...limits })
    return undefined
  } catch (caught) {
    return isProblem(caught) ? caught.data['fault'] : caught
  }
}

test('a tarball with too many entries is refused', async () => {
  const entries = Array.from({ length: 11 }, (_, at) => ({ path: `package/${at}` }))
  assert.equal(await faultOf(packTarball([manifest, ...entries]), { maxEntries: 11 }), 'too-many-entries')
  assert.equal(await faultOf(packTarball([manifest, ...entries]), { maxEntries: 12 }), undefined)
})

test('a tarball that unpacks to too much is refused before its data is read', async () => {
  const tarball = packPackage({}, { a: Buffer.alloc(100_000) })
  assert.equal(await faultOf(tarball, { maxInflatedBytes: 90_000 }), 'too-large')
  assert.equal(await faultOf(tarball, { maxInflatedBytes: 110_000 }), undefined)
})

test('a tarball that swells too far is refused, and a small one may', async () => {
  assert.equal(await faultOf(packPackage({}, { a: Buffer.alloc(40_000_000) }), {}), 'bomb')
  assert.equal(await faultOf(packPackage({}, { a: Buffer.alloc(10_000_000) }), {}), undefined)
})

test('paths that take too much memory with all their folders are refused', async () => {
  const entries = Array.from({ length: 1300 }, (_, at) => [
    packPax({ path: `package/${at}/${'fifteen-letters/'.repeat(60)}x` }),
    packEntry({ path: 'PaxHeader' }),
  ])
  assert.equal(await faultOf(packTarball([manifest, ...entries.flat()]), {}), 'too-many-entries')
  assert.equal(await faultOf(packTarball([manifest, ...entries.slice(0, 100).flat()]), {}), undefined)
})

test('long paths come from pax headers, GNU headers and ustar prefixes', async () => {
  const tarball = packTarball([
    manifest,
    packPax({ path: `${longPath}1`, mtime: '1.5', 'SCHILY.dev': '7' }),
    { path: 'PaxHeader', body: 'a' },
    packEntry({ path: '././@LongLink', type: 'L', body: `${longPath}2\0` }),
    { path: longPath.slice(0, 99), body: 'b' },
    { path: 'deep.js', prefix: 'package/prefixed' },
    packPax({ comment: 'a commit' }, 'g'),
    { path: 'package/last' },
  ])
  const { files } = await inspectTarball(streamOf(tarball))
  const inside = longPath.slice('package/'.length)
  assert.deepEqual(
    files.map(file => file.path),
    ['package.json', `${inside}1`, `${inside}2`, 'prefixed/deep.js', 'last'],
  )
})

test('a dot segment inside, which some packers write, names the same file as without it', async () => {
  const tarball = packTarball([manifest, { path: 'package/./dist/index.js' }])
  const { files } = await inspectTarball(streamOf(tarball), defaultInspectLimits)
  assert.ok(files.some(file => file.path === 'dist/index.js'))
})

test('a file that comes twice with the same bytes, as some packers write the main file, counts once', async () => {
  const twice = [
    { path: 'package/./a.js', body: 'same' },
    { path: 'package/a.js', body: 'same' },
  ]
  for (const entries of [
    twice,
    twice.toReversed(),
    [...twice, ...twice],
    [{ path: 'package/a' }, { path: 'package/a' }],
  ]) {
    const { fileCount } = await inspectTarball(
      streamOf(packTarball([manifest, ...entries])),
      defaultInspectLimits,
    )
    assert.equal(fileCount, 2)
  }
})

test('folders are no files, and may be named twice and with a slash', async () => {
  const tarball = packTarball([
    { path: 'package/', type: '5' },
    { path: 'package/lib/', type: '5' },
    { path: 'package/lib', type: '5' },
    { path: 'package/old/', type: '\0' },
    { path: 'package/lib/x' },
    manifest,
  ])
  const { fileCount, files } = await inspectTarball(streamOf(tarball))
  assert.equal(fileCount, 2)
  assert.deepEqual(
    files.map(file => file.path),
    ['lib/x', 'package.json'],
  )
})

test('gzip headers with a name, a comment and extra fields are read', async () => {
  const flags = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3])
  const fields = Buffer.from('\x03\x00abcname.tar\0comment\0\x01\x02', 'latin1')
  const tarball = Buffer.concat([flags, fields, good.subarray(10)])
  for (const source of [tarball, streamOf(tarball, 3)])
    assert.equal((await inspectTarball(source)).fileCount, 1)
})

test('zeros behind the gzip data are padding', async () => {
  const tarball = Buffer.concat([good, Buffer.alloc(5000)])
  for (const source of [tarball, ...[1, 7, 5000].map(size => streamOf(tarball, size))])
    assert.equal((await inspectTarball(source)).fileCount, 1)
})

test('an error of the source comes through as it is', async () => {
  const failing = async function* () {
    yield good.subarray(0, 30)
    throw new Error('the disk is gone')
  }
  await assert.rejects(inspectTarball(failing()), { message: 'the disk is gone' })
})
