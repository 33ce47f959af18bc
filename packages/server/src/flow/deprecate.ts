// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import { amend, decide } from '../catalog/index.ts'
import type { Actor } from '../identity/index.ts'
import { type NewEvent, saltDocument } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { checkRevision, openPackage } from './package.ts'
import { provePresence } from './presence.ts'
import { listFacts } from './view.ts'

const maxMessage = 1000

/**
 * Takes over the deprecation messages that differ from what the document of `revision` showed; an empty one undoes.
 * Versions the document did not show are not touched, whatever the client says of them.
 */
export async function deprecate(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  revision: number | undefined,
  messages: ReadonlyMap<string, string>,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:deprecate', name)
  checkRevision(known, revision)
  const changes: [Version, string][] = []
  for (const facts of await listFacts(ports, name)) {
    const decision = decide(facts)
    const message = messages.get(facts.version)?.slice(0, maxMessage)
    if (decision.listed && message !== undefined && message !== decision.deprecated)
      changes.push([facts.version, message])
  }
  if (changes.length === 0) return
  await provePresence(ports, grant, known.requiresTfa)
  const events = changes.map(([version, message]) => deprecateEvent(name, version, message))
  const change = async (tx: Tx) => {
    for (const [version, message] of changes) await tx.catalog.setDeprecated(name, version, message)
  }
  await ports.store.commit(grant, events, tx =>
    amend(tx.catalog, name, ports.clock(), () => change(tx), known.revision),
  )
}

/** The log holds no free text: only the digest of a salted document, which can be erased; an empty message undoes. */
export function deprecateEvent(name: PackageName, ver: Version, message: string): NewEvent {
  if (message === '') return { type: 'deprecate', pkg: name, ver, fields: { msg: '' } }
  const document = saltDocument({ message: message.toWellFormed() })
  return { type: 'deprecate', pkg: name, ver, fields: { msg: document.digest }, document }
}
