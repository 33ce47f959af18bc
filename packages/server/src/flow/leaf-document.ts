// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { type Actor, authorize } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/**
 * Erases the document that leaves name by this digest: they stay, and say nothing of it any more; that it was erased is an
 * entry too. What the registry shows from elsewhere, such as a deprecation message, is not changed. Throws `leaf-document-not-found`.
 */
export async function eraseLeafDocument(ports: Ports, actor: Actor, digest: string): Promise<void> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  // Looked at first: only the digest of a document may stand in the leaf.
  if ((await ports.store.leafDocuments.find(digest)) === undefined)
    throw problem('leaf-document-not-found', { digest })
  const event = { type: 'operator', fields: { op: 'erase', config: digest } } as const
  await ports.store.commit(grant, event, async tx => {
    if (!(await tx.leafDocuments.erase(digest))) throw problem('leaf-document-not-found', { digest })
  })
}
