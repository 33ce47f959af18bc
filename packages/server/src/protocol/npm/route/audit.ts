// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import {
  isPackageName,
  type PackageName,
  parseVersion,
  problem,
  readVersionRange,
  type Version,
} from '@holdfast/core'
import { type Advisory, patchedRange, readCovered } from '../../../catalog/index.ts'
import { type Advised, type Asked, adviseOn, sayWhatIsMissing } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { headerText, json } from '../answer.ts'
import { type Route, route } from '../router.ts'

/** A project of 100,000 packages fits; npm sends this with every install. */
const maxBodyBytes = 8 * 1024 * 1024
const maxDepth = 100
/** Of one package; no tree has so many, and each is held against each advisory. */
const maxVersions = 1000
const severities = ['low', 'moderate', 'high', 'critical'] as const

/** What is known against versions, for `npm audit` and its like. npm asks this of its registry for all packages it has. */
export const auditRoutes: readonly Route[] = [
  route('POST /-/npm/v1/security/advisories/bulk', bulk),
  route('POST /-/npm/v1/security/audits/quick', quick),
  route('POST /-/npm/v1/security/audits', quick),
]

type Json = Readonly<Record<string, unknown>>

/** `{"lodash":["4.17.20"]}`; the answer names only what something is known against. */
async function bulk(ports: Ports, call: Call): Promise<Answer> {
  const asked = new Map<PackageName, Set<Version>>()
  for (const [name, versions] of Object.entries(asObject(await call.json(maxBodyBytes))))
    if (Array.isArray(versions)) for (const version of versions) note(asked, name, version)
  const advised = await adviseOn(ports, call.actor, asked)
  const { publicUrl } = ports.config
  return json(
    200,
    Object.fromEntries([...advised].map(([name, all]) => [name, all.map(each => toEntry(publicUrl, each))])),
    await notice(ports),
  )
}

/** What npm before 11 and yarn 1 send: a tree like that of a lock file. */
async function quick(ports: Ports, call: Call): Promise<Answer> {
  const asked = new Map<PackageName, Set<Version>>()
  walk(asked, asObject(await call.json(maxBodyBytes))['dependencies'], 0)
  const report = toReport(ports.config.publicUrl, await adviseOn(ports, call.actor, asked), asked)
  return json(200, report, await notice(ports))
}

/** npm prints it: a registry that was told nothing would else say that there is nothing to fear. */
async function notice(ports: Ports): Promise<Record<string, string>> {
  const missing = await sayWhatIsMissing(ports)
  return missing === '' ? {} : { 'npm-notice': headerText(missing) }
}

function walk(asked: Map<PackageName, Set<Version>>, dependencies: unknown, depth: number): void {
  if (depth > maxDepth) throw problem('invalid-body', { why: `dependencies go deeper than ${maxDepth}` })
  for (const [name, value] of Object.entries(asObject(dependencies ?? {}))) {
    const entry = asObject(value)
    note(asked, name, entry['version'])
    if (entry['dependencies'] !== undefined) walk(asked, entry['dependencies'], depth + 1)
  }
}

/** Aliases, folders and addresses stand there too: what is no version of a package is passed over. */
function note(asked: Map<PackageName, Set<Version>>, name: string, text: unknown): void {
  if (!isPackageName(name)) return
  const version = versionOf(text)
  if (version === undefined) return
  const found = asked.get(name) ?? new Set()
  if (found.size >= maxVersions)
    throw problem('invalid-body', { why: `it has more than ${maxVersions} versions of ${name}` })
  asked.set(name, found.add(version))
}

function versionOf(text: unknown): Version | undefined {
  try {
    return parseVersion(text)
  } catch {
    return undefined
  }
}

function toReport(publicUrl: string, advised: Advised, asked: Asked): unknown {
  const all = [...advised.values()].flat()
  const counts = Object.fromEntries(
    ['info', ...severities].map(word => [word, all.filter(each => each.severity === word).length]),
  )
  const advisories = all.map(each => {
    const has = readCovered(each)
    const versions = [...(asked.get(each.package) ?? [])].filter(has)
    const findings = versions.map(version => ({ version, paths: [each.package] }))
    const more = { module_name: each.package, findings, cves: namesIn(each, 'CVE-') }
    const overview = { overview: each.title, recommendation: recommend(each), access: 'public' }
    return [String(numberOf(each.id)), { ...toEntry(publicUrl, each), ...more, ...overview }]
  })
  return {
    actions: [],
    advisories: Object.fromEntries(advisories),
    muted: [],
    metadata: { vulnerabilities: counts, dependencies: asked.size, totalDependencies: asked.size },
  }
}

/** `cwe` is an array because `npm query` reads its length; one range that cannot be read makes pnpm drop the whole answer. */
function toEntry(publicUrl: string, advisory: Advisory): Json {
  const { id, url, title, severity, range, cwe, cvss } = advisory
  const [githubId] = namesIn(advisory, 'GHSA-')
  return {
    id: numberOf(id),
    url: url === '' ? `${publicUrl}/osv/v1/vulns/${encodeURIComponent(id)}` : url,
    title: title === '' ? id : title,
    severity,
    vulnerable_versions: readVersionRange(range) === undefined ? '*' : range,
    patched_versions: patchedRange(advisory),
    cwe,
    cvss: { score: cvss?.score ?? 0, vectorString: cvss?.vector ?? null },
    ...(githubId === undefined ? {} : { github_advisory_id: githubId }),
  }
}

function namesIn({ id, aliases }: Advisory, prefix: string): readonly string[] {
  return [id, ...aliases].filter(each => each.startsWith(prefix))
}

function recommend(advisory: Advisory): string {
  const patched = patchedRange(advisory)
  return patched === '<0.0.0' ? 'No version mends it.' : `Upgrade to ${patched}`
}

/** pnpm drops what is no number, and npm keeps derived data by it: the same advisory has the same one for ever. */
function numberOf(id: string): number {
  return createHash('sha256').update(id).digest().readUIntBE(0, 6)
}

function asObject(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw problem('invalid-body', { why: 'it is no object of packages' })
}
