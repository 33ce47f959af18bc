// SPDX-License-Identifier: Apache-2.0
import { isProblem, type MayRepeat, parseJson } from '@holdfast/core'
import { readTarball, type TarFile, type TarLimits, type TarSink } from './tar.ts'
import { refuseTarball } from './tar-fault.ts'
import { scanForTokens } from './token-scan.ts'

export { checkManifestAgrees, servedManifest } from './inspect-manifest.ts'

/** What a tarball may cost, and how much of what is in it is listed. */
export interface InspectLimits extends TarLimits {
  readonly maxFilesListed: number
  /** Tokens that are found; with 0 nobody looks for any. */
  readonly maxTokens: number
}

/** Limits for packages as they are found on the public registries. */
export const defaultInspectLimits: InspectLimits = {
  maxInflatedBytes: 1024 ** 3,
  maxRatio: 250,
  maxEntries: 100_000,
  maxFilesListed: 10_000,
  maxTokens: 100,
}

/** What is in a tarball, found here and not claimed by anybody. */
export interface Inspection {
  /** package.json of the package's own folder. */
  readonly manifest: Record<string, unknown>
  /** The first 64 KiB of the README. */
  readonly readme?: string
  readonly fileCount: number
  readonly unpackedSizeBytes: number
  /** Whether an install runs code of the package. */
  readonly hasInstallScript: boolean
  readonly hasShrinkwrap: boolean
  /** The first `maxFilesListed` files. */
  readonly files: readonly TarFile[]
  /** Tokens of registries that lie in the files, or in their names; the first `maxTokens`. */
  readonly tokens: readonly FoundToken[]
}

/** A token in a tarball. */
export interface FoundToken {
  readonly token: string
  readonly path: string
}

const maxManifestBytes = 1024 * 1024
const maxReadmeBytes = 64 * 1024

/** Reads a whole tarball as npm would extract it; throws `bad-tarball` with a plain sentence for what must not be stored. */
export async function inspectTarball(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  limits: InspectLimits = defaultInspectLimits,
): Promise<Inspection> {
  const found = new Findings(limits)
  await readTarball(source, limits, file => found.visit(file))
  return found.finish()
}

class Findings {
  readonly #limits: InspectLimits
  readonly #files: TarFile[] = []
  #fileCount = 0
  #unpackedSizeBytes = 0
  #manifest: Buffer[] | undefined
  #readme: { readonly path: string; readonly head: Buffer[] } | undefined
  #hasGypFile = false
  #hasShrinkwrap = false
  readonly #tokens = new Map<string, FoundToken>()

  constructor(limits: InspectLimits) {
    this.#limits = limits
  }

  visit(file: TarFile): TarSink | undefined {
    this.#fileCount += 1
    this.#unpackedSizeBytes += file.sizeBytes
    if (this.#files.length < this.#limits.maxFilesListed) this.#files.push(file)
    const take = file.path.includes('/') ? undefined : this.#visitTop(file)
    if (this.#limits.maxTokens === 0) return take
    const scan = scanForTokens(token => this.#noteToken(token, file.path))
    scan(Buffer.from(`${file.path}\n`))
    return bytes => {
      scan(bytes)
      take?.(bytes)
    }
  }

  #noteToken(token: string, path: string): void {
    if (this.#tokens.size < this.#limits.maxTokens && !this.#tokens.has(token))
      this.#tokens.set(token, { token, path })
  }

  #visitTop(file: TarFile): TarSink | undefined {
    if (file.path === 'package.json') return this.#takeManifest(file)
    // The short name that Windows gives package.json writes to the same file.
    if (/^packag~[0-9]\.jso$/i.test(file.path)) {
      throw refuseTarball('twin-path', `'${file.path}' is package.json on Windows`)
    }
    if (file.path === 'binding.gyp') this.#hasGypFile = true
    if (file.path === 'npm-shrinkwrap.json') this.#hasShrinkwrap = true
    return rankReadme(file.path) > rankReadme(this.#readme?.path) ? this.#takeReadme(file) : undefined
  }

  #takeManifest(file: TarFile): TarSink {
    if (file.sizeBytes > maxManifestBytes) {
      throw refuseTarball('bad-manifest', `its package.json is larger than ${maxManifestBytes} bytes`)
    }
    const parts: Buffer[] = []
    this.#manifest = parts
    return bytes => parts.push(Buffer.from(bytes))
  }

  #takeReadme(file: TarFile): TarSink {
    const head: Buffer[] = []
    let room = maxReadmeBytes
    this.#readme = { path: file.path, head }
    return bytes => {
      if (room > 0) head.push(Buffer.from(bytes.subarray(0, room)))
      room -= Math.min(room, bytes.length)
    }
  }

  finish(): Inspection {
    if (this.#manifest === undefined)
      throw refuseTarball('no-manifest', 'it has no package.json in its top folder')
    const manifest = parseManifest(Buffer.concat(this.#manifest))
    return {
      manifest,
      ...(this.#readme && { readme: decodeHead(Buffer.concat(this.#readme.head)) }),
      fileCount: this.#fileCount,
      unpackedSizeBytes: this.#unpackedSizeBytes,
      hasInstallScript: runsAtInstall(manifest, this.#hasGypFile),
      hasShrinkwrap: this.#hasShrinkwrap,
      files: this.#files,
      tokens: [...this.#tokens.values()],
    }
  }
}

// Markdown first, as npm chooses.
function rankReadme(path: string | undefined): number {
  if (path === undefined) return 0
  if (/^readme\.(?:md|mkd|mdown|markdown)$/i.test(path)) return 3
  if (/^readme$/i.test(path)) return 2
  return /^readme\.[a-z]+$/i.test(path) ? 1 : 0
}

// The cut may go through a character; the decoder keeps its half back.
function decodeHead(head: Buffer): string {
  return new TextDecoder().decode(head, { stream: true })
}

// What decides on an install: of two keys npm takes the last and other parsers the first.
const decisive = new Set([
  'bin',
  'bundleDependencies',
  'bundledDependencies',
  'dependencies',
  'name',
  'optionalDependencies',
  'peerDependencies',
  'scripts',
  'version',
])

const mayRepeat: MayRepeat = path => !decisive.has(path[0] ?? '')

function parseManifest(bytes: Buffer): Record<string, unknown> {
  // As npm reads it: byte order mark dropped, other encodings mended.
  const manifest = parseManifestText(new TextDecoder().decode(bytes))
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    throw refuseTarball('bad-manifest', 'its package.json is not an object')
  }
  return manifest as Record<string, unknown>
}

function parseManifestText(text: string): unknown {
  try {
    return parseJson(text, mayRepeat)
  } catch (caught) {
    if (!isProblem(caught)) throw caught
    throw refuseTarball('bad-manifest', `its package.json is refused, ${caught.data['why']}`)
  }
}

// npm runs `node-gyp rebuild` where a binding.gyp lies and no script of the package says otherwise.
function runsAtInstall(manifest: Record<string, unknown>, hasGypFile: boolean): boolean {
  const scripts = manifest['scripts']
  const names = typeof scripts === 'object' && scripts !== null ? Object.entries(scripts) : []
  const has = (name: string) =>
    names.some(([key, text]) => key === name && typeof text === 'string' && text !== '')
  if (has('preinstall') || has('install') || has('postinstall')) return true
  return hasGypFile && manifest['gypfile'] !== false
}
