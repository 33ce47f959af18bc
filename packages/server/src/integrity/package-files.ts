// SPDX-License-Identifier: Apache-2.0
import { type InspectLimits, inspectTarball } from './inspect.ts'
import { readTarball } from './tar.ts'

/** A file with all of its bytes. */
export interface WholeFile {
  /** Inside the package, without the top folder. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly isExecutable: boolean
}

/** The manifest in a tarball and every file, read as strictly as when it is let in. Throws `bad-tarball`. */
export async function readPackageFiles(
  tarball: Uint8Array,
  limits: InspectLimits,
): Promise<{ readonly manifest: Readonly<Record<string, unknown>>; readonly files: readonly WholeFile[] }> {
  const { manifest } = await inspectTarball(tarball, limits)
  const files: WholeFile[] = []
  await readTarball(tarball, limits, ({ path, sizeBytes, mode }) => {
    const bytes = new Uint8Array(sizeBytes)
    let at = 0
    files.push({ path, bytes, isExecutable: (mode & 0o111) !== 0 })
    return piece => {
      bytes.set(piece, at)
      at += piece.length
    }
  })
  return { manifest, files }
}
