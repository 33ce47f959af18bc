// SPDX-License-Identifier: Apache-2.0
import { explainProvenance } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json } from './body.ts'
import { parseSubject } from './why.ts'

/** Below `/api/v1/provenance/npm/`: `<name>/<version>`, the slash of a scope as it is or as `%2f`. */
export const provenancePrefix = '/api/v1/provenance/npm/'

/** `GET /api/v1/provenance/npm/<name>/<version>`: where a version was built as far as it was proved, and what the next must prove. */
export async function readProvenance(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const { name, version } = parseSubject(path, provenancePrefix)
  return json(200, await explainProvenance(ports, call.actor, name, version))
}
