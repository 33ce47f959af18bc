// SPDX-License-Identifier: Apache-2.0
/** What a project is made of, before it is written in one format or another. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatPurl,
  isPackageName,
  type LockGraph,
  type LockNode,
  type LockScope,
  parseIntegrity,
  scopesOf,
} from '@holdfast/core'
import { findUsualOrigin, isWithheld, versionOf } from '../audit/known.ts'
import { fetchVersion, type Routes } from '../npm-registry.ts'
import type { Project } from '../project.ts'
import { type License, readLicense } from './license.ts'

/** Something that is installed. */
export interface Part {
  /** Names it within the bill: its package URL, with its digest where one version is there with two. */
  readonly ref: string
  readonly purl: string
  readonly name: string
  readonly version: string
  readonly scope: LockScope
  /** The SHA-512 of its tarball in hexadecimal. */
  readonly sha512: string | undefined
  readonly license: License | undefined
  /** Where its tarball lies. */
  readonly address: string | undefined
  /** Where its registry keeps what attests how it was built, and by which kinds of statements. */
  readonly attestation: { readonly url: string; readonly kind: string } | undefined
  readonly needs: readonly string[]
}

/** A package of the project itself. */
export interface OwnPart {
  readonly ref: string
  readonly purl: string | undefined
  readonly name: string
  readonly version: string | undefined
  readonly license: License | undefined
  readonly needs: readonly { readonly ref: string; readonly isDev: boolean }[]
}

export interface Bill {
  /** The project first, then the packages of its workspaces. */
  readonly own: readonly [OwnPart, ...OwnPart[]]
  /** By their refs. */
  readonly parts: readonly Part[]
}

type Json = Readonly<Record<string, unknown>>
const atOnce = 12

/** Reads a project's parts; what the lock file does not say comes from the registry, where there is one to ask, and from what is installed. */
export async function makeBill(project: Project, routes: Routes | undefined): Promise<Bill> {
  const { graph } = project
  const scopes = scopesOf(graph)
  const usual = findUsualOrigin(graph)
  const digests = indexDigests(graph)
  const merged = new Map<string, LockNode[]>()
  const refs = new Map<string, string>()
  for (const node of graph.nodes.values()) {
    const ref = refOf(node, digests)
    refs.set(node.key, ref)
    merged.set(ref, [...(merged.get(ref) ?? []), node])
  }
  const waiting = [...merged].sort(([one], [other]) => (one < other ? -1 : 1)).entries()
  const parts: Part[] = []
  const work = async () => {
    for (const [at, [ref, nodes]] of waiting) {
      const told = await readManifest(project, nodes[0], routes, usual)
      parts[at] = toPart(
        ref,
        nodes,
        told,
        key => refs.get(key),
        nodes.map(({ key }) => scopes.get(key) ?? 'required'),
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return { own: toOwn(project, key => refs.get(key)), parts }
}

/** The digests of each version: most have one. */
function indexDigests({ nodes }: LockGraph): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const node of nodes.values()) {
    const purl = purlOf(node)
    if (node.integrity !== undefined) found.set(purl, (found.get(purl) ?? new Set()).add(node.integrity))
  }
  return found
}

function refOf(node: LockNode, digests: ReadonlyMap<string, ReadonlySet<string>>): string {
  const purl = purlOf(node)
  if ((digests.get(purl)?.size ?? 0) < 2) return purl
  return `${purl}#${createHash('sha256')
    .update(node.integrity ?? '')
    .digest('hex')
    .slice(0, 12)}`
}

function purlOf(node: LockNode): string {
  const { name, version, source, resolved = '' } = node
  const path = isPackageName(name) ? formatPurl(name) : `pkg:npm/${encodeURIComponent(name)}`
  if (source === 'registry' || source === 'patch') return `${path}@${encodeURIComponent(version)}`
  const qualifier = source === 'git' ? 'vcs_url' : source === 'address' ? 'download_url' : 'file_name'
  return `${path}@${encodeURIComponent(/^\d/.test(version) ? version : '0.0.0')}?${qualifier}=${encodeURIComponent(resolved)}`
}

function toPart(
  ref: string,
  nodes: readonly LockNode[],
  told: Json,
  refOfKey: (key: string) => string | undefined,
  scopes: readonly LockScope[],
): Part {
  const [node] = nodes as [LockNode]
  const dist = asObject(told['dist'])
  const attestations = asObject(dist['attestations'])
  const integrity = node.integrity ?? (typeof dist['integrity'] === 'string' ? dist['integrity'] : '')
  const needs = nodes.flatMap(each =>
    each.needs.flatMap(({ to }) => (to === undefined ? [] : (refOfKey(to) ?? []))),
  )
  const address = node.resolved ?? dist['tarball']
  return {
    ref,
    purl: ref.split('#')[0] ?? ref,
    name: node.name,
    version: node.version,
    scope: (['required', 'optional', 'dev'] as const).find(each => scopes.includes(each)) ?? 'required',
    sha512: parseIntegrity(integrity),
    license: readLicense(node.license ?? told['license'] ?? told['licenses']),
    address: typeof address === 'string' && URL.canParse(address) ? address : undefined,
    attestation:
      typeof attestations['url'] === 'string' && URL.canParse(attestations['url'])
        ? {
            url: attestations['url'],
            kind: String(asObject(attestations['provenance'])['predicateType'] ?? ''),
          }
        : undefined,
    needs: [...new Set(needs)].filter(each => each !== ref).sort(),
  }
}

/** The registry's manifest of a version, with what is installed behind it. */
async function readManifest(
  { folder }: Project,
  node: LockNode | undefined,
  routes: Routes | undefined,
  usual: string | undefined,
): Promise<Json> {
  const version = node === undefined ? undefined : versionOf(node)
  if (node === undefined) return {}
  const isAsked = version !== undefined && routes !== undefined && !isWithheld(node, routes, usual)
  const told = isAsked ? asObject(await fetchVersion(routes.registryOf(node.name), node.name, version)) : {}
  if ((told['license'] ?? node.license) !== undefined) return told
  const place = node.key.includes('node_modules/') ? node.key : `node_modules/${node.name}`
  const installed = await readFile(join(folder, place, 'package.json'), 'utf8').then(
    parse,
    () => ({}) as Json,
  )
  return installed['version'] === node.version
    ? { ...told, license: installed['license'], licenses: installed['licenses'] }
    : told
}

function toOwn(
  { graph, manifests, folder }: Project,
  refOfKey: (key: string) => string | undefined,
): Bill['own'] {
  const parts = graph.roots.map((root): OwnPart => {
    const manifest = manifests.find(each => each.folder === root.folder)?.manifest ?? {}
    const name = root.name ?? (root.folder === '' ? 'project' : root.folder)
    const purl =
      isPackageName(name) && root.version !== undefined ? formatPurl(name, root.version) : undefined
    const needs = root.needs.flatMap(({ to, kind }) => {
      const ref = to === undefined ? undefined : refOfKey(to)
      return ref === undefined ? [] : [{ ref, isDev: kind === 'dev' }]
    })
    const unique = new Map(needs.map(each => [each.ref, each]))
    return {
      ref: `project:${root.folder === '' ? '.' : root.folder}`,
      purl,
      name,
      version: root.version,
      license: readLicense(manifest['license']),
      needs: [...unique.values()].sort((one, other) => (one.ref < other.ref ? -1 : 1)),
    }
  })
  const ordered = parts.sort((one, other) => (one.ref < other.ref ? -1 : 1))
  const [
    first = {
      ref: 'project:.',
      purl: undefined,
      name: folder,
      version: undefined,
      license: undefined,
      needs: [],
    },
    ...rest
  ] = ordered
  return [first, ...rest]
}

function parse(text: string): Json {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return {}
  }
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

/** The bill without what is only there for these scopes. */
export function omitParts({ own, parts }: Bill, omitted: ReadonlySet<string>): Bill {
  const kept = parts.filter(({ scope }) => !omitted.has(scope))
  const refs = new Set(kept.map(({ ref }) => ref))
  const [first, ...rest] = own.map(each => ({
    ...each,
    needs: each.needs.filter(({ ref }) => refs.has(ref)),
  }))
  return {
    own: [first ?? own[0], ...rest],
    parts: kept.map(part => ({ ...part, needs: part.needs.filter(ref => refs.has(ref)) })),
  }
}

/** A UUID that only this content has, so that the same project has the same bill. */
export function contentId(content: unknown): string {
  const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  // Version 8 and its variant, as RFC 9562 marks what is made by rules of one's own.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
