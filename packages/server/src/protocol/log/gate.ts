// SPDX-License-Identifier: Apache-2.0
import { readGate } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

/** `GET gate`: `{"rows": [["owner …", "maintainer"], …], "documents": ["…"]}`, for whoever may read every entry. */
export async function readGateRows(ports: Ports, { actor }: Call): Promise<Answer> {
  const { rows, documents } = await readGate(ports, actor)
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body: JSON.stringify({ rows: [...rows], documents }) }
}
