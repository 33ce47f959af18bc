// SPDX-License-Identifier: Apache-2.0
import { gunzipSync, gzipSync } from 'node:zlib'

/** One regular file of a tarball. */
export type TarEntry = { readonly path: string; readonly data: Buffer }

/** A gzipped ustar archive as `npm pack` makes them. */
export function makeTarball(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap(e => [header(e), e.data, Buffer.alloc((512 - (e.data.length % 512)) % 512)])
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]), { level: 1 })
}

/** The package.json inside a tarball, or undefined where the first folder has none. */
export function readManifest(tarball: Buffer): Record<string, unknown> | undefined {
  const tar = gunzipSync(tarball)
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(tar, at + 124, 12), 8)
    const path = [text(tar, at + 345, 155), text(tar, at, 100)].filter(Boolean).join('/')
    if (/^[^/]+\/package\.json$/.test(path)) {
      return JSON.parse(tar.toString('utf8', at + 512, at + 512 + size).replace(/^\uFEFF/, ''))
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return undefined
}

function text(buffer: Buffer, start: number, length: number): string {
  const field = buffer.toString('utf8', start, start + length)
  const end = field.indexOf('\0')
  return (end < 0 ? field : field.slice(0, end)).trim()
}

function header(entry: TarEntry): Buffer {
  const head = Buffer.alloc(512)
  head.write(entry.path, 0, 100)
  head.write('0000644\0', 100)
  head.write('0000000\0', 108)
  head.write('0000000\0', 116)
  head.write(`${entry.data.length.toString(8).padStart(11, '0')}\0`, 124)
  head.write('03560116540\0', 136) // npm's own fixed date, so equal content is an equal tarball
  head.write('        0', 148)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return head
}
