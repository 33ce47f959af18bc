// SPDX-License-Identifier: Apache-2.0
import { isPackageName } from '@holdfast/core'
import { type Inspection, servedManifest } from '../integrity/index.ts'

type Manifest = Readonly<Record<string, unknown>>

/** What installers read of a version: all that the abbreviated packument holds beside `dist` and `deprecated`. */
export const installFields = [
  'name',
  'version',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'dependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'bin',
  'directories',
  'engines',
  'os',
  'cpu',
  'libc',
  'funding',
  'license',
  'hasInstallScript',
  '_hasShrinkwrap',
] as const

const droppedFields = new Set([
  'dist',
  'readme',
  'readmeFilename',
  'deprecated',
  'hasInstallScript',
  'integrity',
  'shasum',
  'policyRestrictions',
])
const maxReadme = 64 * 1024

/** The version object as we keep it: the client's words without what only a registry may say, plus what we found. */
export function keepManifest(sent: Manifest, inspection: Inspection): Manifest {
  const kept = Object.entries(servedManifest(sent)).filter(
    ([key]) => !key.startsWith('_') && !droppedFields.has(key),
  )
  return {
    ...Object.fromEntries(kept),
    _id: `${String(sent['name'])}@${String(sent['version'])}`,
    ...(inspection.hasInstallScript ? { hasInstallScript: true } : {}),
    ...(inspection.hasShrinkwrap ? { _hasShrinkwrap: true } : {}),
  }
}

/** What installers need, for the abbreviated packument. */
export function abbreviate(manifest: Manifest): Manifest {
  return Object.fromEntries(
    installFields.filter(field => manifest[field] !== undefined).map(field => [field, manifest[field]]),
  )
}

/** Names a version cannot be installed without, and optional and peer ones; what can be no package's name is left out. */
export function dependenciesOf(manifest: Manifest): string[] {
  const fields = ['dependencies', 'optionalDependencies', 'peerDependencies']
  return fields.flatMap(field => Object.keys(asObject(manifest[field]))).filter(isPackageName)
}

/** What the newest version says of its package. */
export function aboutPackage(
  manifest: Manifest,
  readme: string,
): { description: string; keywords: string[]; readme: string } {
  const keywords = Array.isArray(manifest['keywords'])
    ? manifest['keywords'].filter(each => typeof each === 'string')
    : []
  return {
    description: storable(text(manifest['description']).slice(0, 1000)),
    keywords: keywords.slice(0, 50).map(each => storable(each.slice(0, 60))),
    readme: storable(readme.slice(0, maxReadme)),
  }
}

/** Prose is mended, not refused: a README in UTF-16 reads as every other character NUL, and a cut may halve a pair. */
function storable(prose: string): string {
  return prose.replaceAll('\0', '').toWellFormed()
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
