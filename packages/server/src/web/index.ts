// SPDX-License-Identifier: Apache-2.0

import type { Problem } from '@holdfast/core'
import { Hono } from 'hono'
import type { Answer, Call, Log, Mount } from '../http/index.ts'
import type { Ports } from '../ports.ts'

/** Pages rendered on the server, over the same flows. */
export function webMount(ports: Ports, _log: Log): Mount {
  const app = new Hono<{ Bindings: { call: Call } }>()
  app.get('/', context => context.text('Holdfast\n'))
  return {
    prefix: '/',
    classOf: () => 'page',
    renderProblem: (trouble: Problem) => ({
      status: trouble.status,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: `${trouble.message}\n`,
    }),
    handle: call => viaHono(app, call, ports),
  }
}

async function viaHono(app: Hono<{ Bindings: { call: Call } }>, call: Call, ports: Ports): Promise<Answer> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(call.headers))
    if (typeof value === 'string') headers.set(name, value)
  const response = await app.fetch(
    new Request(ports.config.publicUrl + call.url, { method: call.method, headers }),
    { call },
  )
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  }
}
