// SPDX-License-Identifier: Apache-2.0
/** The versions that may be chosen: what a registry lets out, old enough for the project. */
import { compareVersions, isPackageName, isPrerelease, parseVersion, type Version } from '@holdfast/core'
import { fetchPackument, type Routes } from '../npm-registry.ts'

type Json = Readonly<Record<string, unknown>>

export interface Offer {
  /** What may be chosen, oldest first; what the registry hides is not among it. */
  readonly versions: readonly Version[]
  /** What a version needs of another package: its range, undefined where it needs none. */
  readonly rangeOf: (version: Version, name: string) => string | undefined
}

/** Asks for each package once. */
export interface Market {
  offer(name: string): Promise<Offer>
}

/** Versions younger than `minAgeMs` are left out, as the project's own client would. */
export function openMarket(routes: Routes, minAgeMs: number): Market {
  const offers = new Map<string, Promise<Offer>>()
  return {
    offer(name) {
      const known = offers.get(name) ?? readOffer(routes, name, minAgeMs)
      offers.set(name, known)
      return known
    },
  }
}

async function readOffer(routes: Routes, name: string, minAgeMs: number): Promise<Offer> {
  const document = asObject(
    isPackageName(name) ? await fetchPackument(routes.registryOf(name), name) : undefined,
  )
  const manifests = new Map(Object.entries(asObject(document['versions'])))
  const times = asObject(document['time'])
  const newest = Date.now() - minAgeMs
  const isOld = (version: string) => minAgeMs === 0 || Date.parse(String(times[version])) <= newest
  const versions = [...manifests.keys()].filter(isOld).flatMap(readVersion).sort(compareVersions)
  return {
    versions,
    rangeOf(version, needed) {
      const manifest = asObject(manifests.get(version))
      const fields = ['dependencies', 'optionalDependencies', 'peerDependencies']
      const range = fields
        .map(field => asObject(manifest[field])[needed])
        .find(each => typeof each === 'string')
      return typeof range === 'string' ? range : undefined
    },
  }
}

function readVersion(text: string): readonly Version[] {
  try {
    return [parseVersion(text)]
  } catch {
    return []
  }
}

/** What is above a version, and no prerelease unless it is one itself. */
export function listAbove({ versions }: Offer, from: Version): readonly Version[] {
  return versions.filter(
    each => compareVersions(each, from) > 0 && (!isPrerelease(each) || isPrerelease(from)),
  )
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}
