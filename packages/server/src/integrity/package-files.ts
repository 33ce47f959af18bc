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

/** What of a package was read; the manifest is the tarball's own. */
export interface PackagePart {
  readonly manifest: Readonly<Record<string, unknown>>
  readonly files: readonly WholeFile[]
  /** Paths of files that were left out for their size though a script may start them; of the others how many. */
  readonly leftOutNamed: readonly string[]
  readonly leftOut: number
}

const partFileBytes = 1.5 * 1024 * 1024
const partBytes = 24 * 1024 * 1024
/** What is started or looked for by name comes in however much stood before it. */
const neededPath = /^(?:package\.json|binding\.gyp|\.npmrc)$/
const textPath = /\.(?:[cm]?[jt]sx?|json|gypi?|sh|bash|ps1|bat|cmd|py|rb|pl)$|(?:^|\/)[^./]+$/i

/**
 * Of a tarball of any size its manifest and the files that run or are run from, as many as fit into a fixed memory: in the order of
 * the archive, and of what a script names all. Throws `bad-tarball`.
 */
export async function readPackagePart(
  source: () => AsyncIterable<Uint8Array> | Uint8Array,
  limits: InspectLimits,
): Promise<PackagePart> {
  const { manifest } = await inspectTarball(source(), limits)
  const scripts = Object.values((manifest['scripts'] ?? {}) as Record<string, unknown>).join('\n')
  const files: WholeFile[] = []
  let room = partBytes
  const leftOutNamed: string[] = []
  let leftOut = 0
  await readTarball(source(), limits, ({ path, sizeBytes, mode }) => {
    const isNamed = neededPath.test(path) || scripts.includes(path.replace(/\.\w+$/, ''))
    const isWanted = textPath.test(path) && sizeBytes <= room
    if (sizeBytes > partFileBytes || !(isNamed ? sizeBytes <= room + partBytes : isWanted)) {
      if (isNamed) leftOutNamed.push(path)
      else leftOut += 1
      return undefined
    }
    const bytes = new Uint8Array(sizeBytes)
    let at = 0
    room -= sizeBytes
    files.push({ path, bytes, isExecutable: (mode & 0o111) !== 0 })
    return piece => {
      bytes.set(piece, at)
      at += piece.length
    }
  })
  return { manifest, files, leftOutNamed, leftOut }
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
