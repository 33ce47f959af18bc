// SPDX-License-Identifier: Apache-2.0
import { createReadStream, type Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Advisory } from '../catalog/index.ts'
import {
  matchOsv,
  type OsvFound,
  parseOsvText,
  readOsv,
  readOsvLines,
  readOsvZip,
} from '../vulnerability/index.ts'
import { UsageError } from './usage.ts'

/** Every OSV record in a folder, a `.json`, an `.ndjson` or a `.zip`; links are not followed. Throws `UsageError` for what is not there. */
export async function* readOsvFiles(path: string): AsyncGenerator<OsvFound> {
  for (const file of await listOsvFiles(path)) {
    if (file.endsWith('.zip')) yield* readOsvZip(file, createReadStream(file))
    else if (/\.(ndjson|jsonl)$/.test(file)) yield* readOsvLines(file, createReadStream(file))
    else yield* await readRecord(file)
  }
}

/** Whether a path is read for OSV records: a folder, or a file whose name says so. Throws `UsageError` for what is not there. */
export async function isOsvSource(path: string): Promise<boolean> {
  return (await look(path)).isDirectory() || osvName.test(path)
}

const osvName = /\.(json|ndjson|jsonl|zip)$/

async function readRecord(file: string): Promise<readonly OsvFound[]> {
  try {
    return parseOsvText(file, await readFile(file))
  } catch (error) {
    return [{ kind: 'fault', from: file, why: `it cannot be read: ${(error as Error).message}` }]
  }
}

async function listOsvFiles(path: string): Promise<readonly string[]> {
  if (!(await look(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries
    .filter(each => each.isFile() && osvName.test(each.name))
    .map(each => join(each.parentPath, each.name))
    .sort()
}

async function look(path: string): Promise<Stats> {
  return stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`)
  })
}

/** What a record says of one package. */
export interface OsvAbout {
  readonly id: string
  readonly aliases: readonly string[]
  readonly package: string
  /** As it came. */
  readonly record: unknown
  /** Whether a version, written as loosely as advisories write theirs, has what it tells of. */
  covers(version: string): boolean
}

/** What the records at a path say of some packages, in the order of their ids, and what could not be read. Throws `UsageError` for what is not there. */
export async function readAdvisories(
  path: string,
  isWanted: (name: string) => boolean,
): Promise<{ readonly advisories: readonly OsvAbout[]; readonly faults: readonly string[] }> {
  const advisories: OsvAbout[] = []
  const faults: string[] = []
  for await (const found of readOsvFiles(path)) {
    const reading = found.kind === 'record' ? readOsv(found.record) : found
    if (reading.kind === 'fault') faults.push(`${found.from}: ${reading.why}`)
    else if (reading.kind === 'faulty') faults.push(`${found.from}: ${reading.id}: ${reading.why}`)
    else if (found.kind === 'record')
      for (const each of reading.advisories)
        if (isWanted(each.package)) advisories.push(toAbout(each, found.record))
  }
  return { advisories: advisories.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)), faults }
}

function toAbout(advisory: Advisory, record: unknown): OsvAbout {
  const { id, aliases, package: name } = advisory
  const covers = (version: string) => matchOsv([advisory], name, version).length > 0
  return { id, aliases, package: name, record, covers }
}
