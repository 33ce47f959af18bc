// SPDX-License-Identifier: Apache-2.0
/** What the policy does to a project: the versions its lock file names, looked at before anybody installs. */
import { isProblem, type LockedVersion, type PackageName } from '@holdfast/core'
import { decide, type RuleHit, type VersionFacts } from '../catalog/index.ts'
import { type Actor, authorize, may } from '../identity/index.ts'
import { saltDocument } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { provePresence } from './presence.ts'
import { type PackageView, viewPackage } from './view.ts'

const atOnce = 8

/** What becomes of one version: gone or closed now, or once the rules that only watch are carried out. */
export interface LockedVerdict extends LockedVersion {
  /** `unknown` where the registry has no such version, or its upstream did not answer. */
  readonly outcome: 'open' | 'closed' | 'would-close' | 'unknown'
  readonly why: string
  readonly hits: readonly RuleHit[]
}

/** A verdict for each version, in the order given. What the asker may not read is unknown to them. */
export async function previewLocked(
  ports: Ports,
  actor: Actor,
  locked: readonly LockedVersion[],
): Promise<readonly LockedVerdict[]> {
  await authorize(ports, actor, 'policy:preview', '')
  const wanted = [...Map.groupBy(locked, each => each.name)]
  const found = new Map<LockedVersion, VersionFacts | undefined>()
  const look = async () => {
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const [name, named] = next
      const view = await findView(ports, actor, name)
      const facts = new Map(view?.versions.map(each => [each.version, each]))
      // Only what was asked for is kept: a list may name twenty thousand packages of as many versions.
      for (const each of named) found.set(each, facts.get(each.version))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, look))
  return locked.map(each => ({ ...each, ...verdictOf(found.get(each)) }))
}

async function findView(ports: Ports, actor: Actor, name: PackageName): Promise<PackageView | undefined> {
  if (!(await may(ports, actor, 'package:read', name))) return undefined
  try {
    return await viewPackage(ports, name)
  } catch (error) {
    // One upstream that is down must not hide what is known of the others.
    if (isProblem(error)) return undefined
    throw error
  }
}

function verdictOf(facts: VersionFacts | undefined): Omit<LockedVerdict, 'name' | 'version'> {
  if (facts === undefined) return { outcome: 'unknown', why: 'this registry does not know it', hits: [] }
  const { hits } = facts
  if (!decide(facts).served) return { outcome: 'closed', why: `${facts.status}: ${facts.reason}`, hits }
  const watching = hits.filter(hit => hit.spared === 'monitor' && hit.action !== 'warn')
  if (watching.length === 0) return { outcome: 'open', why: '', hits }
  return { outcome: 'would-close', why: watching.map(hit => `${hit.rule}: ${hit.why}`).join('; '), hits }
}

/** What these lock files name is left alone by rules that are enforced from now on; malware and what is denied excepted. */
export async function keepLocked(
  ports: Ports,
  actor: Actor,
  locked: readonly LockedVersion[],
): Promise<void> {
  const grant = await authorize(ports, actor, 'policy:keep', '')
  await provePresence(ports, grant)
  const versions = locked.map(({ name, version }) => ({ package: name, version }))
  const detail = { versions: locked.map(({ name, version }) => `${name}@${version}`) }
  const document = saltDocument(detail)
  const event = { type: 'policy', fields: { op: 'keep', config: document.digest }, detail, document } as const
  const at = ports.clock()
  await ports.store.commit(grant, event, tx => tx.policy.grandfather(versions, at))
}
