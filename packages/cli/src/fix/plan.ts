// SPDX-License-Identifier: Apache-2.0
/** The smallest steps after which nothing is known any more. */
import type { LockGraph, Version } from '@holdfast/core'
import { askFlaws, type Finding, type Flaw, isAffected, type Severity, severities } from '../audit/known.ts'
import type { Routes } from '../npm-registry.ts'
import { type Asker, allows, listAskers, raiseRange } from './need.ts'
import { listAbove, type Market } from './packument.ts'

/** One package that moves. */
export interface Upgrade {
  readonly name: string
  readonly from: Version
  readonly to: Version
  readonly askers: readonly Asker[]
  /** Against what all of those say who do not allow it. */
  readonly isOverride: boolean
  /** Of an override: steps of the project's own dependencies, beyond what it allows, that would make it needless. */
  readonly instead?: readonly Upgrade[]
}

/** Upgrades that belong together, and what they mend. */
export interface Step {
  readonly upgrades: readonly Upgrade[]
  readonly flaws: readonly Flaw[]
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly unmended: readonly {
    readonly name: string
    readonly version: string
    readonly flaws: readonly Flaw[]
    readonly why: string
  }[]
}

interface Ground {
  readonly graph: LockGraph
  readonly routes: Routes
  readonly market: Market
  readonly level: Severity
}

/** What to do about findings. Each version that has one is lifted to the next above it that has none. */
export async function makePlan(ground: Ground, findings: readonly Finding[]): Promise<Plan> {
  const groups = new Map<string, Finding[]>()
  for (const each of findings) {
    const about = `${each.name}@${each.version}`
    groups.set(about, [...(groups.get(about) ?? []), each])
  }
  const steps: Step[] = []
  const unmended: Plan['unmended'][number][] = []
  for (const [first, ...more] of groups.values()) {
    if (first === undefined) continue
    const { name, version } = first
    const flaws = [first, ...more].map(({ flaw }) => flaw)
    const upgrades = await planOne(ground, name, version)
    if (typeof upgrades === 'string') unmended.push({ name, version, flaws, why: upgrades })
    else steps.push({ upgrades, flaws })
  }
  return { steps, unmended }
}

async function planOne(ground: Ground, name: string, from: Version): Promise<readonly Upgrade[] | string> {
  const offer = await ground.market.offer(name)
  const clean = await listClean(ground, name, listAbove(offer, from))
  if (clean.length === 0) return 'no version above it is free of flaws and may be installed'
  const askers = await listAskers(ground.graph, ground.market, name, from)
  const others = askers.filter(({ by }) => by.kind === 'node')
  // All allow it; then all but the project itself, whose range can be raised.
  for (const asked of [askers, others]) {
    const to = clean.find(version => asked.every(({ range }) => allows(range, version)))
    if (to !== undefined) return [{ name, from, to, askers, isOverride: false }]
  }
  const lifted = await liftAskers(ground, others, clean, within)
  if (lifted !== undefined)
    return [...lifted.upgrades, { name, from, to: lifted.to, askers, isOverride: false }]
  const [to] = clean
  if (to === undefined) return 'nothing fits'
  const major = await liftAskers(ground, others, clean.slice(0, triedVersions), beyond)
  const instead = major?.upgrades.filter(each => listRaised(each).length > 0) ?? []
  return [{ name, from, to, askers, isOverride: true, instead }]
}

/** The versions that have no flaw at the level or above. */
async function listClean(
  { routes, level }: Ground,
  name: string,
  versions: readonly Version[],
): Promise<readonly Version[]> {
  if (versions.length === 0) return []
  // Registries bound how many versions of one package they look at.
  const some = versions.slice(0, maxAsked)
  const told = await askFlaws(routes.registryOf(name), new Map([[name, new Set(some)]]))
  const flaws = (told?.get(name) ?? []).filter(
    ({ severity }) => severities.indexOf(severity) >= severities.indexOf(level),
  )
  return some.filter(version => !flaws.some(flaw => isAffected(flaw, version)))
}

const maxAsked = 900

/** Newer versions of those who stand in the way, each as its own askers allow once those are lifted, that allow one of these versions. */
async function liftAskers(
  ground: Ground,
  others: readonly Asker[],
  wanted: readonly Version[],
  search: Search,
): Promise<{ upgrades: readonly Upgrade[]; to: Version } | undefined> {
  for (const to of wanted) {
    const upgrades: Upgrade[] = []
    const inTheWay = others.filter(({ range }) => !allows(range, to))
    let isFree = true
    for (const { by, as } of inTheWay) {
      const lifted =
        by.kind === 'node' ? await liftOne(ground, by.name, by.version, { as, to }, search) : undefined
      if (lifted === undefined) {
        isFree = false
        break
      }
      upgrades.push(...lifted)
    }
    if (isFree) return { upgrades, to }
  }
  return undefined
}

/** How far up is looked, and whether what the project itself says may be raised on the way. */
interface Search {
  readonly levels: number
  readonly raisesRoot: boolean
}

const within: Search = { levels: 4, raisesRoot: false }
const beyond: Search = { levels: 4, raisesRoot: true }
/** Versions of one parent that are tried with its own parents lifted: each costs a look at all above it. */
const triedVersions = 6

async function liftOne(
  ground: Ground,
  name: string,
  from: Version,
  needed: { readonly as: string; readonly to: Version },
  search: Search,
): Promise<readonly Upgrade[] | undefined> {
  const offer = await ground.market.offer(name)
  const askers = await listAskers(ground.graph, ground.market, name, from)
  const fits = listAbove(offer, from).filter(version => {
    const range = offer.rangeOf(version, needed.as)
    return range === undefined || allows(range, needed.to)
  })
  const clean = await listClean(ground, name, fits)
  const found = clean.find(version => askers.every(asker => allows(asker.range, version)))
  if (found !== undefined) return [{ name, from, to: found, askers, isOverride: false }]
  if (search.levels <= 1) return undefined
  const isOpen = (version: Version) =>
    search.raisesRoot || askers.every(({ by, range }) => by.kind === 'node' || allows(range, version))
  const others = askers.filter(({ by }) => by.kind === 'node')
  const above = { ...search, levels: search.levels - 1 }
  const lifted = await liftAskers(ground, others, clean.filter(isOpen).slice(0, triedVersions), above)
  return lifted && [...lifted.upgrades, { name, from, to: lifted.to, askers, isOverride: false }]
}

/** What the project itself must say afterwards: its ranges that do not allow the version. */
export function listRaised({
  askers,
  to,
}: Upgrade): readonly { readonly folder: string; readonly as: string; readonly range: string }[] {
  return askers.flatMap(({ by, as, range }) =>
    by.kind === 'root' && !allows(range, to) ? [{ folder: by.folder, as, range: raiseRange(range, to) }] : [],
  )
}

/** A step in words. */
export function describeUpgrade(upgrade: Upgrade): string {
  const { name, from, to, isOverride, instead = [] } = upgrade
  if (!isOverride) return `${name} ${from} -> ${to}  ${describeWay(upgrade)}`
  const other = instead.map(each => `${each.name} ${each.from} -> ${each.to}`).join(', ')
  const hint =
    other === '' ? '' : `; without one by ${isMajor(instead) ? 'the major upgrade' : 'raising'} ${other}`
  return `${name} ${from} -> ${to}  by an override, since what needs it does not allow it${hint}`
}

function describeWay(upgrade: Upgrade): string {
  const raised = listRaised(upgrade)
  if (raised.length === 0) return 'within what is allowed'
  const ranges = raised.map(({ folder, as, range }) => `${folder === '' ? '' : `${folder}: `}${as} ${range}`)
  const warning = isMajor([upgrade]) ? ' (a major upgrade: read what it changes)' : ''
  return `package.json: ${ranges.join(', ')}${warning}`
}

/** Whether any of these may break who uses it, as versions say it. */
function isMajor(upgrades: readonly Upgrade[]): boolean {
  return upgrades.some(({ from, to }) => breakingPart(from) !== breakingPart(to))
}

/** Below 1.0.0 the second number says what the first says above. */
function breakingPart(version: Version): string {
  const [major = '', minor = ''] = version.split('.')
  return major === '0' ? `0.${minor}` : major
}
