// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createHash } from 'node:crypto'
import { makeTarball, type TarEntry } from './tar.ts'

/** One version of one package as it is published: its manifest and its bytes. */
export type Release = {
  readonly name: string
  readonly version: string
  readonly manifest: Readonly<Record<string, unknown>>
  readonly readme: string
  readonly tarball: Buffer
}

/** How large a made release should come out. */
export type Size = {
  readonly manifestBytes: number
  readonly readmeBytes?: number
  readonly tarballBytes: number
}

/** Bytes that no compressor shrinks, the same for the same seed, so that every run measures the same work. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** A release whose manifest and tarball have the wanted sizes. */
export function makeRelease(name: string, version: string, size: Size): Release {
  const manifest = makeManifest(name, version, size.manifestBytes)
  const entries: TarEntry[] = [
    { path: 'package/package.json', data: Buffer.from(JSON.stringify(manifest, null, 2)) },
  ]
  const readme = prose(name, size.readmeBytes ?? 0)
  if (readme) entries.push({ path: 'package/README.md', data: Buffer.from(readme) })
  const rest = size.tarballBytes - 600 - Math.round(size.manifestBytes / 6)
  if (rest > 0) entries.push({ path: 'package/index.js', data: noise(`${name}@${version}`, rest) })
  return { name, version, manifest, readme, tarball: makeTarball(entries) }
}

const words = Array.from({ length: 600 }, (_, i) =>
  noise(`word ${i}`, 2 + (i % 7))
    .toString('base64url')
    .toLowerCase(),
)

/** Text that compresses about as well as what people write. */
function prose(seed: string, length: number): string {
  const choices = noise(seed, length)
  let text = ''
  for (let i = 0; text.length < length; i += 2)
    text += `${words[choices.readUInt16LE(i % (length - 1)) % 600]} `
  return text.slice(0, length)
}

/** The releases of one package, oldest first, with plain rising versions. */
export function makeReleases(name: string, count: number, size: Size): Release[] {
  return Array.from({ length: count }, (_, i) =>
    makeRelease(name, `${Math.floor(i / 100) + 1}.${Math.floor((i % 100) / 10)}.${i % 10}`, size),
  )
}

/** The file name npm gives the tarball of a version: the scope is left out. */
export function tarballName(name: string, version: string): string {
  return `${name.slice(name.lastIndexOf('/') + 1)}-${version}.tgz`
}

/** The integrity string npm compares after download. */
export function integrityOf(tarball: Buffer): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`
}

/** The full document of a package as a registry at `base` would serve it. */
export function makePackument(base: string, releases: readonly Release[]): Record<string, unknown> {
  const newest = releases.at(-1)
  if (!newest) throw new Error('a packument needs one release')
  const time = Object.fromEntries(releases.map((r, i) => [r.version, publishedAt(i)]))
  return {
    _id: newest.name,
    _rev: `1-${createHash('md5').update(newest.name).digest('hex')}`,
    name: newest.name,
    'dist-tags': { latest: newest.version },
    versions: Object.fromEntries(releases.map(r => [r.version, withDist(base, r)])),
    readme: newest.readme,
    time: { created: publishedAt(0), modified: publishedAt(releases.length), ...time },
  }
}

/** The manifest with the `dist` part a registry adds. */
export function withDist(base: string, release: Release): Record<string, unknown> {
  return {
    ...release.manifest,
    _id: `${release.name}@${release.version}`,
    dist: {
      integrity: integrityOf(release.tarball),
      shasum: createHash('sha1').update(release.tarball).digest('hex'),
      tarball: `${base}/${release.name}/-/${tarballName(release.name, release.version)}`,
    },
  }
}

function publishedAt(step: number): string {
  return new Date(Date.UTC(2024, 0, 1) + step * 3_600_000).toISOString()
}

function makeManifest(name: string, version: string, bytes: number): Record<string, unknown> {
  const base = {
    name,
    version,
    description: 'A package made by the bench, with the fields that real ones have',
    license: 'MIT',
    main: 'index.js',
    repository: { type: 'git', url: 'git+https://git.example/bench/bench.git' },
  }
  const missing = bytes - JSON.stringify(base).length
  if (missing < 60) return base
  const dependencies: Record<string, string> = {}
  for (let i = 0; i * 30 < Math.min(missing / 2, 2000); i++) dependencies[`bench-dependency-${i}`] = '^1.0.0'
  const exports: Record<string, string> = { '.': './index.js' }
  const left = missing - JSON.stringify(dependencies).length
  for (let i = 0; i * 46 < left - 60; i++) exports[`./part-${i}-${name}`.slice(0, 18)] = './index.js?part'
  return { ...base, dependencies, exports }
}
