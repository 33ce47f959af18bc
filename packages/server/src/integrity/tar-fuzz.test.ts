// SPDX-License-Identifier: Apache-2.0
/** Whatever bytes come, the answer is an inspection or a problem, and npm extracts what was inspected. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { isProblem } from '@holdfast/core'
import fc from 'fast-check'
import { packPax, packTarball, setChecksum, streamOf } from '../../test/fixture/tarball.ts'
import { type Inspection, inspectTarball } from './inspect.ts'

const require = createRequire(import.meta.url)
const npmFolder = dirname(require.resolve('npm/package.json'))

/** The parts of npm's own tar reader that are used here. */
interface NodeTar {
  Unpack: new (options: object) => NodeJS.EventEmitter & { end(bytes: Buffer): void }
}
interface NodeTarEntry {
  readonly type: string
  readonly path: string
  readonly size: number
}

const nodeTar: NodeTar = require(join(npmFolder, 'node_modules/tar'))

const long = 'folder/'.repeat(20)
const archive = gunzipSync(
  packTarball([
    { path: 'package/', type: '5' },
    { path: 'package/package.json', body: '{"name":"a","version":"1.0.0"}' },
    { path: 'package/README.md', body: 'x'.repeat(700) },
    packPax({ path: `package/${long}a.js`, mtime: '1.5' }),
    { path: 'PaxHeader', body: 'y'.repeat(40) },
    { path: 'package/././@LongLink', type: 'L', body: `package/${long}b.js\0` },
    { path: `package/${long}`.slice(0, 99), body: 'z' },
    { path: 'deep.js', prefix: 'package/prefixed', body: 'w' },
    packPax({ comment: 'abc' }, 'g'),
    { path: 'package/bin/cli.js', mode: 0o755 },
  ]),
)

async function inspectOrRefuse(tarball: Buffer): Promise<Inspection | undefined> {
  try {
    return await inspectTarball(streamOf(tarball))
  } catch (caught) {
    assert.ok(isProblem(caught) && caught.code === 'bad-tarball', String(caught))
    return undefined
  }
}

/** What npm would write: the entries that node-tar gives to an extraction with pacote's filter and strip. */
async function listByNpm(tarball: Buffer): Promise<string[]> {
  const files: string[] = []
  const reader = new nodeTar.Unpack({
    cwd: '/nowhere',
    strip: 1,
    filter: (_path: string, entry: NodeTarEntry) => {
      if (/^(?:Old|Contiguous)?File$/.test(entry.type)) {
        files.push(`${entry.path.split('/').slice(1).join('/')} ${entry.size}`)
      } else assert.equal(entry.type, 'Directory')
      return false
    },
  })
  const ended = once(reader, 'end')
  reader.end(tarball)
  await ended
  return files
}

test('random bytes are refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async bytes => {
      assert.equal(await inspectOrRefuse(Buffer.from(bytes)), undefined)
      assert.equal(await inspectOrRefuse(gzipSync(bytes)), undefined)
    }),
    { numRuns: 200 },
  )
})

const byteChange = fc.tuple(fc.nat({ max: archive.length - 1 }), fc.nat({ max: 255 }))

test('a tarball with changed bytes is refused or inspected, never a crash', async () => {
  const tarball = gzipSync(archive)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: tarball.length - 1 }), fc.nat({ max: 255 }), async (at, byte) => {
      const changed = Buffer.from(tarball)
      changed[at] = byte
      await inspectOrRefuse(changed)
    }),
    { numRuns: 300 },
  )
})

function setChecksums(bytes: Buffer): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) === 'ustar') setChecksum(bytes.subarray(at, at + 512))
  }
}

/** What is let in with these bytes changed, npm lists alike. */
async function checkAgreement(changes: readonly (readonly [at: number, byte: number])[]): Promise<void> {
  const changed = Buffer.from(archive)
  for (const [at, byte] of changes) changed[at] = byte
  setChecksums(changed)
  const tarball = gzipSync(changed, { level: 1 })
  const inspection = await inspectOrRefuse(tarball)
  if (inspection === undefined) return
  const found = inspection.files.map(file => `${file.path} ${file.sizeBytes}`)
  assert.deepEqual(await listByNpm(tarball), found)
}

test('npm extracts what was inspected, whatever was changed in headers and bodies', async () => {
  await fc.assert(fc.asyncProperty(fc.array(byteChange, { minLength: 1, maxLength: 4 }), checkAgreement), {
    numRuns: 1500,
  })
})

// Signs that parsers treat in their own ways, where they hurt most.
const trickyByte = fc.constantFrom(
  0,
  9,
  10,
  0x20,
  0x2d,
  0x2e,
  0x2f,
  0x30,
  0x31,
  0x35,
  0x37,
  0x3a,
  0x3d,
  0x4c,
  0x5c,
  0x67,
  0x78,
  0x80,
  0xff,
)
const headerStarts = Array.from({ length: archive.length / 512 }, (_, at) => at * 512)
const headerChange = fc
  .tuple(fc.constantFrom(...headerStarts), fc.nat({ max: 511 }), trickyByte)
  .map(([start, offset, byte]) => [start + offset, byte] as const)

test('npm extracts what was inspected, with tricky signs in every field', async () => {
  await fc.assert(fc.asyncProperty(fc.array(headerChange, { minLength: 1, maxLength: 2 }), checkAgreement), {
    numRuns: 3000,
  })
})
