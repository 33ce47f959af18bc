// SPDX-License-Identifier: Apache-2.0
/** Keys, told for comparison: whoever checks the log has them from elsewhere. */
import { checkMayReadHashes, formatTrust } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

/** `GET vkeys`: what checkpoints verify under, one a line, the newest first, former ones too. */
export async function readKeys(ports: Ports, { actor }: Call): Promise<Answer> {
  checkMayReadHashes(ports, actor)
  const lines = ports.log.keys.map(({ vkey }) => `${vkey}\n`).reverse()
  return fresh('text/plain; charset=utf-8', lines.join(''))
}

/** `GET trust`: the document that clients pin, whose SHA-256 `holdfast trust init` is given. */
export async function readTrust(ports: Ports, { actor }: Call): Promise<Answer> {
  checkMayReadHashes(ports, actor)
  return fresh('application/json; charset=utf-8', formatTrust(ports))
}

function fresh(type: string, body: string): Answer {
  const headers = {
    'content-type': type,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body }
}
