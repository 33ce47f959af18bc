// SPDX-License-Identifier: Apache-2.0
/** The blast radius of a case, for those who respond. */
import { problem } from '@holdfast/core'
import { exportBlast, readBlast, tellHolders } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json } from './body.ts'

/** All of this lies below it. */
export const casesPrefix = '/api/v1/cases/'

/**
 * `GET /api/v1/cases/<id>/blast?page=…`, `GET …/blast.csv` and `GET …/blast.json` with all holders (one JSON object a line), and
 * `POST …/blast/tell`, which writes to each holder once.
 */
export async function answerBlast(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const [id = '', ...rest] = path.slice(casesPrefix.length).split('/')
  switch (`${call.method} ${rest.join('/')}`) {
    case 'GET blast':
      return json(200, await readBlast(ports, call.actor, id, call.query.get('page') ?? ''))
    case 'GET blast.csv':
      return lines('text/csv', await exportBlast(ports, call.actor, id, 'csv'))
    case 'GET blast.json':
      return lines('application/x-ndjson', await exportBlast(ports, call.actor, id, 'json'))
    case 'POST blast/tell':
      return json(200, await tellHolders(ports, call.actor, id))
    default:
      throw problem('not-found')
  }
}

function lines(type: string, flow: AsyncIterable<Uint8Array>): Answer {
  const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }
  return { status: 200, headers, flow }
}
