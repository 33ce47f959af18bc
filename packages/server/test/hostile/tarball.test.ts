// SPDX-License-Identifier: Apache-2.0
/** Bad tarballs by the way they would come: in a publish. What is bad about each is the subject of the tests of `tar.ts`. */
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packEntry, packPackage, packPax, packTarball, tarEnd } from '../fixture/tarball.ts'
import { type Live, publishDocument, startLive } from '../live.ts'
import { refuses } from './trace.ts'

let live: Live
before(async () => {
  live = await startLive({ flags: { maxUnpackedBytes: String(8 * 1024 * 1024) } })
})
after(() => live.stop())

const manifest = { path: 'package/package.json', body: '{"name":"bad","version":"1.0.0"}' }
const good = packPackage({ name: 'bad', version: '1.0.0' })

const bad: Readonly<Record<string, Buffer>> = {
  'nothing at all': Buffer.alloc(0),
  'no gzip': Buffer.from('not a tarball'),
  'half of a gzip': good.subarray(0, good.length / 2),
  'gzip with a wrong checksum': Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]),
  'something behind its gzip': Buffer.concat([good, Buffer.from('hidden')]),
  'gzip of nothing': gzipSync(''),
  'gzip of noise': gzipSync(Buffer.alloc(2048, 'x')),
  'no package.json': packTarball([{ path: 'package/index.js', body: '' }]),
  'a package.json that is not JSON': packTarball([{ ...manifest, body: '{' }]),
  'a package.json that is a list': packTarball([{ ...manifest, body: '[]' }]),
  'a package.json of another name': packPackage({ name: 'good', version: '1.0.0' }),
  'a package.json of another version': packPackage({ name: 'bad', version: '1.0.1' }),
  'two files of one path': packTarball([manifest, manifest]),
  'two paths that differ in case': packTarball([manifest, { path: 'package/A' }, { path: 'package/a' }]),
  'a path that walks up': packTarball([manifest, { path: 'package/../../evil' }]),
  'an absolute path': packTarball([manifest, { path: '/etc/passwd' }]),
  'a Windows path': packTarball([manifest, { path: 'package/C:\\evil' }]),
  'a path that walks up in its pax header': packTarball([
    manifest,
    packPax({ path: 'package/../../evil' }),
    { path: 'x' },
  ]),
  'a symbolic link': packTarball([manifest, { path: 'package/l', type: '2', linkPath: '/etc/passwd' }]),
  'a hard link': packTarball([manifest, { path: 'package/l', type: '1', linkPath: 'package/package.json' }]),
  'a device': packTarball([manifest, { path: 'package/d', type: '3' }]),
  'a size that lies': packTarball([manifest, { path: 'package/s', body: 'x', sizeBytes: 1024 * 1024 }]),
  'a size below zero': packTarball([manifest, packPax({ size: '-1' }), { path: 'package/s' }]),
  'a header with a wrong checksum': packTarball([
    manifest,
    { path: 'package/c', rawAfter: [[148, '0000000\0']] },
  ]),
  'something behind its end': gzipSync(Buffer.concat([packEntry(manifest), tarEnd, Buffer.alloc(512, 'x')])),
  'two top folders': packTarball([manifest, { path: 'other/index.js' }]),
  'more inside than is allowed': packPackage(
    { name: 'bad', version: '1.0.0' },
    { big: Buffer.alloc(9 * 1024 * 1024, 'ab') },
  ),
  'a bomb': gzipSync(Buffer.alloc(300 * 1024 * 1024)),
}

for (const [what, tarball] of Object.entries(bad)) {
  test(`a tarball with ${what} is refused, and nothing of it is stored`, () =>
    refuses(live, 'bad', publishDocument('bad', '1.0.0', { tarball }), { status: 400 }))
}
