// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { maxComparedBytes, type PackageContent, type PackageFile } from '@holdfast/core'
import { defaultInspectLimits, type InspectLimits, inspectTarball } from './inspect.ts'
import { readTarball, type TarFile, type TarSink } from './tar.ts'

/** Files behind these bytes are compared by their digest alone. */
const maxKeptBytes = 64 * 1024 * 1024

/** All that a comparison or a screening asks of a tarball, read as strictly as when it is let in. Throws `bad-tarball`. */
export async function readPackageContent(
  tarball: Uint8Array,
  limits: InspectLimits = defaultInspectLimits,
  maxFileBytes: number = maxComparedBytes,
): Promise<PackageContent> {
  const { manifest, hasInstallScript } = await inspectTarball(onePiece(tarball), limits)
  const collecting: (() => PackageFile)[] = []
  let room = maxKeptBytes
  await readTarball(onePiece(tarball), limits, file => {
    const isKept = file.sizeBytes <= Math.min(maxFileBytes, room)
    if (isKept) room -= file.sizeBytes
    const { take, finish } = collect(file, isKept)
    collecting.push(finish)
    return take
  })
  return { manifest, hasInstallScript, files: collecting.map(finish => finish()) }
}

function collect(file: TarFile, isKept: boolean): { take: TarSink; finish: () => PackageFile } {
  const hash = createHash('sha256')
  const pieces: Buffer[] = []
  return {
    take(bytes) {
      hash.update(bytes)
      if (isKept) pieces.push(Buffer.from(bytes))
    },
    finish: () => ({
      ...file,
      digest: hash.digest('hex'),
      ...(isKept ? { bytes: Buffer.concat(pieces) } : {}),
    }),
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
