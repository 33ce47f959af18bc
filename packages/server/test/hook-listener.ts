// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** A call of a webhook. */
export interface HookCall {
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Somebody who listens at a path until the test ends, and refuses while `state` says so. */
export async function listenForHooks(t: TestContext, path = '/hook') {
  const got: HookCall[] = []
  const state = { refuses: false, asked: 0 }
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    state.asked += 1
    if (!state.refuses) got.push({ headers: request.headers, text: Buffer.concat(pieces).toString() })
    response.writeHead(state.refuses ? 503 : 204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return { got, state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}` }
}
