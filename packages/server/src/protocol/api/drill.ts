// SPDX-License-Identifier: Apache-2.0
/** Drills: begin, stop, and what came of them. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import { beginDrill, listDrills, parseDrillWish, readDrill, stopDrill } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 4 * 1024
const word = v.optional(v.pipe(v.string(), v.maxLength(100)))
/** Which drill is wanted. */
export const drillBody = v.object({
  playbook: word,
  path: word,
  packages: v.optional(v.pipe(v.number(), v.transform(String))),
})

/** All of this lies below it. */
export const drillsPath = '/api/v1/drills'

/**
 * `GET /api/v1/drills`, `GET …/<id>`, `POST /api/v1/drills` with `{"playbook", "path"?: "automatic" | "people", "packages"?}`, and
 * `POST …/<id>/stop`.
 */
export async function answerDrills(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const [id = '', act = '', ...rest] = path.slice(drillsPath.length + 1).split('/')
  if (rest.length > 0) throw problem('not-found')
  const { actor } = call
  switch (`${call.method} ${id === '' ? '' : ':id'}${act === '' ? '' : `/${act}`}`) {
    case 'GET ':
      return json(200, { drills: await listDrills(ports, actor) })
    case 'POST ': {
      const drill = await beginDrill(
        ports,
        actor,
        parseDrillWish(await readBody(call, maxBodyBytes, drillBody)),
      )
      return json(201, drill)
    }
    case 'GET :id':
      return json(200, await readDrill(ports, actor, id))
    case 'POST :id/stop':
      await stopDrill(ports, actor, id)
      return json(200, { id, state: 'stopping' })
    default:
      throw problem('not-found')
  }
}
