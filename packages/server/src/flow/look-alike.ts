// SPDX-License-Identifier: Apache-2.0
import { isDrillName, isPackageName, type PackageName } from '@holdfast/core'
import type { KeptFacts, Likeness } from '../catalog/index.ts'
import type { LookAlikes, Ports, Store } from '../ports.ts'
import { type LookAlike, loadLookAlike, type NameEvidence } from '../vulnerability/index.ts'
import { Remembered } from './remembered.ts'

const dayMs = 24 * 3600_000
const pageSize = 1000
const mostRemembered = 5000
/** What a name that is hosted here weighs among the well-used ones of npm: whoever installs here knows it well. */
const hostedDownloads = 20_000_000

/**
 * Well-used names of npm and all that are hosted here, read when somebody first asks. Names that are made later, by any process,
 * come by the event feed.
 */
export function openLookAlikes(store: Pick<Store, 'catalog' | 'events'>): LookAlikes {
  let names: Promise<(name: string, evidence: NameEvidence) => LookAlike> | undefined
  const remembered = new Remembered<LookAlike>(mostRemembered)
  const keyOf = (name: string, isOld: boolean) => `${isOld} ${name}`
  /** A name that is made now may be what others imitate, but never what it imitates itself. */
  const forgetOthers = (made: string) => {
    const own = [keyOf(made, true), keyOf(made, false)].map(key => [key, remembered.get(key)] as const)
    remembered.clear()
    for (const [key, found] of own) if (found !== undefined) remembered.set(key, found)
  }
  return {
    async find(name, ageDays) {
      names ??= openNames(store, forgetOthers).catch(error => {
        names = undefined
        throw error
      })
      const look = await names
      const key = keyOf(name, ageDays >= 365)
      const found = remembered.get(key) ?? look(name, { ageDays })
      remembered.set(key, found)
      return found.target === null ? undefined : found
    },
  }
}

async function openNames(
  { catalog, events }: Pick<Store, 'catalog' | 'events'>,
  forgetOthers: (made: string) => void,
): Promise<(name: string, evidence: NameEvidence) => LookAlike> {
  const { findLookAlike, loadPopularNames } = await loadLookAlike()
  const index = await loadPopularNames()
  // A name that is hosted here may be imitated, and is not above suspicion for that.
  const hosted = new Set<string>()
  const learn = (name: string) => {
    if (hosted.has(name) || isDrillName(name)) return
    if (index.downloadsOf(name) === undefined) hosted.add(name)
    index.addHosted(name, hostedDownloads)
    forgetOthers(name)
  }
  events.follow(batch => {
    for (const { type, pkg } of batch) if (type === 'publish' && isPackageName(pkg)) learn(pkg)
  })
  for await (const name of listHosted(catalog)) learn(name)
  return (name, evidence) =>
    findLookAlike(index, name, hosted.has(name) ? { ...evidence, downloads: 0 } : evidence)
}

async function* listHosted(catalog: Store['catalog']): AsyncGenerator<PackageName> {
  for (let after = ''; ; ) {
    const page = await catalog.listNames(after, pageSize)
    yield* page
    if (page.length < pageSize) return
    after = page.at(-1) as string
  }
}

/** What a package of a name would be for rules about look-alikes. */
export interface NameToJudge {
  readonly name: PackageName
  readonly origin: string
  readonly createdAt: number
  readonly kept: readonly KeptFacts[]
}

/** The well-used name that a package is taken for; undefined where none is, or the same people publish both. */
export async function findLikeness(
  ports: Pick<Ports, 'store' | 'lookAlikes'>,
  { name, origin, createdAt, kept }: NameToJudge,
  now: number,
): Promise<Likeness | undefined> {
  const found = await ports.lookAlikes.find(name, Math.max(0, (now - createdAt) / dayMs))
  if (found === undefined || (await isYounger(ports.store, found.target, createdAt))) return undefined
  const isOwn =
    origin === 'hosted'
      ? await sharesPeople(ports.store, name, found.target)
      : await sharesPublisher(ports.store, origin, kept, found.target)
  return isOwn ? undefined : found
}

/** Of two names hosted here the one that came later imitates the other. */
async function isYounger({ catalog }: Store, target: string, createdAt: number): Promise<boolean> {
  const hosted = await catalog.findPackage(target as PackageName)
  return hosted !== undefined && hosted.createdAt >= createdAt
}

async function sharesPeople({ catalog }: Store, name: PackageName, target: string): Promise<boolean> {
  const mine = await catalog.listPeople(name)
  const theirs = new Set((await catalog.listPeople(target as PackageName)).map(each => each.accountId))
  return mine.some(each => theirs.has(each.accountId))
}

/** As the registry that has both tells it: accounts cannot be claimed by whoever writes a package.json. */
async function sharesPublisher(
  { mirrors }: Store,
  origin: string,
  kept: readonly KeptFacts[],
  target: string,
): Promise<boolean> {
  const mirror = await mirrors.find(target as PackageName)
  if (mirror === undefined || mirror.origin !== origin) return false
  const theirs = new Set(mirror.versions.map(each => each.publisher))
  theirs.delete('')
  return kept.some(each => theirs.has(each.traits.publisher))
}
