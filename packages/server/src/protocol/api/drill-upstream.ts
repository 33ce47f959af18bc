// SPDX-License-Identifier: Apache-2.0
/** The registry that a drill of an upstream takedown asks: as small as npm's protocol allows. */
import { problem } from '@holdfast/core'
import { drillUpstreamPath, readDrillPackument, readDrillTarball } from '../../flow/index.ts'
import type { Answer } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json } from './body.ts'

/** `GET …/<name>` and `GET …/<name>/-/<file>`. Throws `not-found` while no drill plays it. */
export async function answerDrillUpstream(ports: Ports, path: string): Promise<Answer> {
  const [name = '', file] = path
    .slice(drillUpstreamPath.length + 1)
    .replace(/%2f/i, '/')
    .replace(/%40/, '@')
    .split('/-/')
  if (file === undefined) {
    const packument = await readDrillPackument(ports, name)
    if (packument !== undefined) return json(200, packument)
  } else {
    const body = await readDrillTarball(ports, name, file)
    if (body !== undefined)
      return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body }
  }
  throw problem('not-found')
}
