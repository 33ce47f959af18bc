// SPDX-License-Identifier: Apache-2.0
/** What a package here asks of its versions and an import does not bring: approvals of its people, proof of a build. */
import { type PackageName, type Problem, problem, type Version } from '@holdfast/core'
import { approvalsOf, type Package } from '../catalog/index.ts'
import { explainDowngrade, noTrust, saltDocument, trustLevelAt } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addNotice } from './letter.ts'
import { listOwners } from './trust.ts'

type Reads = Pick<Tx, 'catalog' | 'stages' | 'trust'> | Ports['store']

const fromNobody = { isByJob: false, build: undefined }

/** Why a version may not come in beside what its package asks for, or undefined. With a reason, only another that waits for its number. */
export async function findSafeguard(
  store: Reads,
  name: PackageName,
  version: Version,
  reason: string | undefined,
  now: number,
): Promise<Problem | undefined> {
  const known = await store.catalog.findPackage(name)
  if (known === undefined) return undefined
  if ((await store.stages.findByVersion(name, version)) !== undefined)
    return problem('version-staged', { name, version })
  if (reason !== undefined) return undefined
  const approvals = approvalsOf(known, now)
  if (approvals > 0) return problem('stage-required', { name, approvals })
  const why = explainDowngrade((await store.trust.findTrust(name)) ?? noTrust, fromNobody, now)
  return why === undefined ? undefined : problem('trust-downgrade', { name, version, why })
}

/** Asked in the transaction: throws what stops one of them, and says in log, record and letters what the operator passed. */
export async function passSafeguards(
  tx: Tx,
  ports: Ports,
  known: Package,
  versions: readonly Version[],
  reason: string | undefined,
): Promise<void> {
  const { name } = known
  const now = ports.clock()
  for (const version of versions) {
    const fault = await findSafeguard(tx, name, version, reason, now)
    if (fault !== undefined) throw fault
  }
  const trust = await tx.trust.findTrust(name)
  const passed = {
    approvals: approvalsOf(known, now),
    proof: trust === undefined ? 'none' : trustLevelAt(trust, now),
  }
  if (reason === undefined || (passed.approvals === 0 && passed.proof === 'none')) return
  const document = saltDocument({ reason, versions, ...passed })
  tx.record({
    type: 'operator',
    pkg: name,
    fields: { op: 'import', config: document.digest },
    detail: { op: 'import', reason, versions, ...passed },
    document,
  })
  const what = `The operator imported ${versions.length} versions into ${name} past what it asks for (${reason})`
  for (const owner of await listOwners(tx, name)) await addNotice(tx, ports, owner, what)
}
