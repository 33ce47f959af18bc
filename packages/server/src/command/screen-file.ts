// SPDX-License-Identifier: Apache-2.0
import { isProblem } from '@holdfast/core'
import { defaultInspectLimits, readPackageContent } from '../integrity/index.ts'
import {
  digestsOf,
  judgeBytes,
  loadRulePack,
  loadScreen,
  type ScreenedFile,
  type ScreenedPackage,
  type ScreenFinding,
  type ScreenReport,
} from '../vulnerability/index.ts'
import { readAdvisories } from './osv-file.ts'

/** A package as it lies on a disk: a tarball, or the files of its folder. */
export type PackageSource =
  | { readonly kind: 'tarball'; readonly bytes: Uint8Array }
  | { readonly kind: 'folder'; readonly files: readonly ScreenedFile[] }

const maxFileBytes = 32 * 1024 * 1024
const limits = { ...defaultInspectLimits, maxInflatedBytes: 512 * 1024 * 1024, maxTokens: 0 }

/** What screening says, and which files of the rules that were given cannot be used. */
export interface SourceReport extends ScreenReport {
  readonly faults: readonly string[]
}

/** What counts beside the rules that come with the command. */
export interface SourceKnowledge {
  /** A folder of rules and lists of digests. */
  readonly rules?: string | undefined
  /** Advisories in OSV format: those about malware name versions and digests. */
  readonly osv?: string | undefined
}

/** Screens a package of strangers; nothing of it is run, and what cannot be read is held and not passed. */
export async function screenSource(
  given: PackageSource,
  previous?: PackageSource,
  { rules, osv }: SourceKnowledge = {},
): Promise<SourceReport> {
  const pack = await loadRulePack(rules === undefined ? undefined : { path: rules, keys: [] })
  const { faults } = pack
  const now = await readSource(given)
  if (now.kind === 'faulty') return { ...refused(now.why), faults }
  const before = previous === undefined ? undefined : await readSource(previous)
  const { screenPackage } = await loadScreen()
  const listed = [
    ...(given.kind === 'tarball' ? pack.findTarball(given.bytes) : []),
    ...(osv === undefined ? [] : await findAdvised(osv, given, now.content)),
  ]
  const report = screenPackage(
    now.content,
    before?.kind === 'read' ? before.content : undefined,
    pack,
    listed,
  )
  return { ...report, faults }
}

/** What advisories about malware say of a package: of its name and version, of the tarball, of each file. */
async function findAdvised(
  osv: string,
  given: PackageSource,
  { manifest, files }: ScreenedPackage,
): Promise<ScreenFinding[]> {
  const { advisories } = await readAdvisories(osv, () => true)
  const malware = advisories.filter(each => [each.id, ...each.aliases].some(id => id.startsWith('MAL-')))
  const hashes = new Map(
    malware.flatMap(({ id, record }) => [...digestsOf(record)].map(each => [each, id] as const)),
  )
  const [name, version] = [String(manifest['name']), String(manifest['version'])]
  const named = malware.find(each => each.package === name && each.covers(version))
  return [
    ...(named === undefined
      ? []
      : [
          {
            rule: 'known-malware',
            file: 'package.json',
            line: 1,
            excerpt: `${name}@${version}`,
            why: `an advisory is about this version: ${named.id}`,
            weight: 200,
          },
        ]),
    ...(given.kind === 'tarball' ? judgeBytes(hashes, given.bytes, 'package.json') : []),
    ...files.flatMap(each => judgeBytes(hashes, each.bytes, each.path)),
  ]
}

type SourceReading =
  | { readonly kind: 'read'; readonly content: ScreenedPackage }
  | { readonly kind: 'faulty'; readonly why: string }

async function readSource(source: PackageSource): Promise<SourceReading> {
  if (source.kind === 'folder') return readFolder(source.files)
  try {
    const { manifest, files } = await readPackageContent(source.bytes, limits, maxFileBytes)
    const screened = files.map(({ path, mode, bytes }) => ({
      path,
      bytes: bytes ?? new Uint8Array(),
      isExecutable: (mode & 0o111) !== 0,
    }))
    return { kind: 'read', content: { manifest, files: screened } }
  } catch (error) {
    if (isProblem(error)) return { kind: 'faulty', why: error.message }
    throw error
  }
}

function readFolder(files: readonly ScreenedFile[]): SourceReading {
  const found = files.find(each => each.path === 'package.json')
  const text = Buffer.from(found?.bytes ?? []).toString('utf8')
  try {
    const manifest: unknown = JSON.parse(text)
    if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest))
      throw new SyntaxError('no object')
    return { kind: 'read', content: { manifest: manifest as Record<string, unknown>, files } }
  } catch {
    return { kind: 'faulty', why: 'package.json cannot be read' }
  }
}

function refused(why: string): ScreenReport {
  const finding = { rule: 'unreadable-package', file: 'package.json', line: 1, excerpt: '', why, weight: 100 }
  return { verdict: 'hold', score: 100, findings: [finding], rules: 'none' }
}
