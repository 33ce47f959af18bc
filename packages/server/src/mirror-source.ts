// SPDX-License-Identifier: Apache-2.0
import { zstdDecompressSync } from 'node:zlib'

const newline = 0x0a

/**
 * The lines of a mirror's source as `MirrorRows` keeps it, none where nothing is kept: the package first, then its versions.
 * They are parts of one buffer: of a large document only what somebody reads becomes text. For threads, since it takes long.
 */
export function readSourceLines(source: Uint8Array): readonly Buffer[] {
  if (source.length === 0) return []
  const text = zstdDecompressSync(source)
  const lines: Buffer[] = []
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf(newline, from)
    const to = end < 0 ? text.length : end
    lines.push(text.subarray(from, to))
    from = to + 1
  }
  return lines
}
