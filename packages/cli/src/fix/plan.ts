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
  const lifted = await liftAskers(ground, others, clean)
  if (lifted !== undefined)
    return [...lifted.upgrades, { name, from, to: lifted.to, askers, isOverride: false }]
  const [to] = clean
  return to === undefined ? 'nothing fits' : [{ name, from, to, askers, isOverride: true }]
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

/** Newer versions of those who stand in the way, each within what its own askers allow, that allow a version without flaws. */
async function liftAskers(
  ground: Ground,
  others: readonly Asker[],
  clean: readonly Version[],
): Promise<{ upgrades: readonly Upgrade[]; to: Version } | undefined> {
  for (const to of clean) {
    const upgrades: Upgrade[] = []
    const inTheWay = others.filter(({ range }) => !allows(range, to))
    for (const { by, as } of inTheWay) {
      const upgrade = by.kind === 'node' ? await liftOne(ground, by.name, by.version, as, to) : undefined
      if (upgrade === undefined) break
      upgrades.push(upgrade)
    }
    if (upgrades.length === inTheWay.length) return { upgrades, to }
  }
  return undefined
}

async function liftOne(
  ground: Ground,
  name: string,
  from: Version,
  needed: string,
  to: Version,
): Promise<Upgrade | undefined> {
  const offer = await ground.market.offer(name)
  const askers = await listAskers(ground.graph, ground.market, name, from)
  const fits = listAbove(offer, from).filter(version => {
    const range = offer.rangeOf(version, needed)
    return askers.every(asker => allows(asker.range, version)) && (range === undefined || allows(range, to))
  })
  const [found] = await listClean(ground, name, fits)
  return found === undefined ? undefined : { name, from, to: found, askers, isOverride: false }
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
  const { name, from, to, isOverride } = upgrade
  const raised = listRaised(upgrade)
  const how = isOverride
    ? 'by an override, since what needs it does not allow it'
    : raised.length > 0
      ? `package.json: ${raised.map(({ folder, as, range }) => `${folder === '' ? '' : `${folder}: `}${as} ${range}`).join(', ')}`
      : 'within what is allowed'
  return `${name} ${from} -> ${to}  ${how}`
}
