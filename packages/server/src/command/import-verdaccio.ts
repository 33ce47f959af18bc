// SPDX-License-Identifier: Apache-2.0
/**
 * A Verdaccio storage folder: `.verdaccio-db.json` lists the packages that were published there, `<name>/package.json`
 * is a packument, tarballs lie beside it. Folders of packages that are not in the list are a cache of an upstream.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  basenameOf,
  compareVersions,
  type DistTag,
  isProblem,
  type PackageName,
  parseDistTag,
  parseJson,
  parsePackageName,
  parseVersion,
  problem,
  type Version,
} from '@holdfast/core'
import type { Arrival, Told } from '../flow/index.ts'
import { type ImportSource, readTarball } from './import-folder.ts'
import { UsageError } from './usage.ts'

const databases = ['.verdaccio-db.json', '.sinopia-db.json']

type Json = Readonly<Record<string, unknown>>

/** Whether a folder is a Verdaccio storage, or that of its predecessor. */
export function isVerdaccioStorage(folder: string): boolean {
  return databases.some(name => existsSync(join(folder, name)))
}

/** Everything that was published there, package by package, with times, tags, deprecations and maintainers. */
export async function openVerdaccioStorage(folder: string): Promise<ImportSource> {
  const database = join(folder, databases.find(name => existsSync(join(folder, name))) ?? '')
  const { list } = asObject(await readJson(database))
  if (!Array.isArray(list)) throw new UsageError(`${database} has no list of packages.`)
  const names = list.map(parsePackageName).sort()
  const notes: string[] = []
  let total = 0
  for (const name of names)
    total += (await listFolder(join(folder, name))).filter(file => file.endsWith('.tgz')).length
  return { total, arrivals: arrive(folder, names, notes), notes }
}

async function* arrive(
  folder: string,
  names: readonly PackageName[],
  notes: string[],
): AsyncIterable<Arrival> {
  for (const name of names) {
    const path = join(folder, name, 'package.json')
    try {
      yield* arriveOf(folder, name, asObject(await readJson(path)), notes)
    } catch (error) {
      if (!isProblem(error)) throw error
      yield refusedArrival(join(name, 'package.json'), error)
    }
  }
}

async function* arriveOf(
  folder: string,
  name: PackageName,
  packument: Json,
  notes: string[],
): AsyncIterable<Arrival> {
  const tags = readTags(name, asObject(packument['dist-tags']), notes)
  const fromUpstream = asObject(packument['_distfiles'])
  const found: Arrival[] = []
  let cached = 0
  for (const [text, value] of Object.entries(asObject(packument['versions']))) {
    const manifest = asObject(value)
    const file = fileOf(name, text, manifest)
    if (Object.hasOwn(fromUpstream, file)) cached += 1
    else found.push(await toArrival(folder, name, text, manifest, packument, tags, file))
  }
  if (cached > 0) notes.push(`${name}: ${cached} versions are copies from an upstream and were left out`)
  yield* found.sort(inOrderOfPublication)
}

async function toArrival(
  folder: string,
  name: PackageName,
  text: string,
  manifest: Json,
  packument: Json,
  tags: ReadonlyMap<DistTag, string>,
  file: string,
): Promise<Arrival> {
  const source = join(name, file)
  const path = join(folder, source)
  const version = toVersion(text)
  if (typeof version !== 'string') return refusedArrival(source, version)
  const told: Told = {
    name,
    version,
    manifest,
    integrity: textOf(asObject(manifest['dist'])['integrity']),
    shasum: textOf(asObject(manifest['dist'])['shasum']),
    deprecated: textOf(manifest['deprecated']),
    readme: textOf(manifest['readme']) || textOf(packument['readme']) || undefined,
    tags: [...tags].filter(([, target]) => target === text).map(([tag]) => tag),
    maintainers: readMaintainers(manifest),
  }
  const time = Date.parse(textOf(asObject(packument['time'])[text]))
  const publishedAt = Number.isNaN(time)
    ? Math.floor((await stat(path).catch(() => undefined))?.mtimeMs ?? 0)
    : time
  return { source, publishedAt, read: () => readTarball(path), told }
}

/** Comes in only to be told as refused. */
function refusedArrival(source: string, fault: Error): Arrival {
  return {
    source,
    publishedAt: 0,
    // biome-ignore lint/correctness/useYield: there is nothing to read
    async *read() {
      throw fault
    },
  }
}

function inOrderOfPublication(a: Arrival, b: Arrival): number {
  const order = a.publishedAt - b.publishedAt
  return order || a.told === undefined || b.told === undefined
    ? order
    : compareVersions(a.told.version, b.told.version)
}

// The last part of the tarball's address; nothing in it leads out of the package's folder.
function fileOf(name: PackageName, version: string, manifest: Json): string {
  const address = textOf(asObject(manifest['dist'])['tarball'])
  const last = address.slice(address.lastIndexOf('/') + 1)
  return /^[\w.~-][\w.~+-]*\.tgz$/.test(last) ? last : `${basenameOf(name)}-${version}.tgz`
}

function readTags(name: PackageName, tags: Json, notes: string[]): ReadonlyMap<DistTag, string> {
  const read = new Map<DistTag, string>()
  for (const [text, target] of Object.entries(tags)) {
    try {
      read.set(parseDistTag(text), textOf(target))
    } catch (error) {
      if (!isProblem(error)) throw error
      notes.push(`${name}: ${error.message}; the tag was left out`)
    }
  }
  return read
}

function toVersion(text: string): Version | Error {
  try {
    return parseVersion(text)
  } catch (error) {
    if (!isProblem(error)) throw error
    return error
  }
}

function readMaintainers(manifest: Json): string[] {
  const people = Array.isArray(manifest['maintainers']) ? manifest['maintainers'] : []
  const names = [...people, manifest['_npmUser']].map(person => textOf(asObject(person)['name']))
  return [...new Set(names.filter(login => login !== ''))]
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw problem('file-unreadable', { why: error.message })
  })
  return parseJson(text)
}

async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
