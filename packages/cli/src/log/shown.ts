// SPDX-License-Identifier: Apache-2.0
/** What a registry shows of a package, to be compared with what its log says. Nothing in it is believed. */
import type { PackageName } from '@holdfast/core'
import { type Answer, explainRefusal, fetchBounded, type Registry } from '../registry.ts'
import { Misbehaviour } from './misbehaviour.ts'

const maxDocumentBytes = 64 * 1024 * 1024
const installForm = 'application/vnd.npm.install-v1+json'

/** A version that clients may pick. */
export interface ShownVersion {
  readonly integrity: string
  /** Empty for none. */
  readonly deprecated: string
}

/** A package as clients see it. */
export interface ShownPackage {
  readonly listed: ReadonlyMap<string, ShownVersion>
  /** Named as kept back. */
  readonly restricted: ReadonlySet<string>
  readonly tags: ReadonlyMap<string, string>
}

/** The package's document in its short form; undefined when the registry shows none to this reader. */
export async function fetchShown(registry: Registry, name: PackageName): Promise<ShownPackage | undefined> {
  const path = `npm/${name.replace('/', '%2f')}`
  const answer = await fetchBounded(registry, 'GET', path, maxDocumentBytes, { accept: installForm })
  if (answer.status === 404) return undefined
  if (!answer.isOk) throw explainRefusal(registry, answer)
  const document = readDocument(name, answer)
  const listed = Object.entries(membersOf(document['versions']))
  return {
    listed: new Map(listed.map(([version, told]) => [version, readVersion(membersOf(told))])),
    restricted: new Set(Object.keys(membersOf(membersOf(document['policyRestrictions'])['versions']))),
    tags: new Map(Object.entries(membersOf(document['dist-tags'])).map(([tag, at]) => [tag, String(at)])),
  }
}

function readVersion({ dist, deprecated }: Members): ShownVersion {
  return {
    integrity: textOf(membersOf(dist)['integrity']),
    deprecated: textOf(deprecated),
  }
}

type Members = Readonly<Record<string, unknown>>

function readDocument(name: PackageName, { body }: Answer): Members {
  try {
    return membersOf(JSON.parse(Buffer.from(body).toString('utf8')))
  } catch {
    throw new Misbehaviour(`what the registry shows of ${name} cannot be read`, 'Tell its operator.')
  }
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
