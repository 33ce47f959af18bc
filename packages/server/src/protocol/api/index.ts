// SPDX-License-Identifier: Apache-2.0
/** Our own JSON API, below `/api/v1/`. */
import { type Problem, problem } from '@holdfast/core'
import type { Answer, Call, Mount } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json } from './body.ts'
import { describeApi } from './openapi.ts'
import { openRouter } from './route.ts'
import { routes } from './route-list.ts'

const prefix = '/api/v1/'
const descriptionPath = `${prefix}openapi.json`
const findRoute = openRouter(routes)

/** The API as a mount; problems are `application/problem+json` (RFC 9457). */
export function apiMount(ports: Ports): Mount {
  return { prefix, classOf: () => 'api', renderProblem, handle: call => handle(ports, withoutCookie(call)) }
}

/** A browser's session is for pages, which check where a form comes from; here nothing does (cross-site request forgery). */
function withoutCookie(call: Call): Call {
  const { actor } = call
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') return call
  return { ...call, actor: { kind: 'nobody', from: actor.from } }
}

async function handle(ports: Ports, call: Call): Promise<Answer> {
  const path = call.url.split('?')[0] ?? ''
  if (path === descriptionPath && call.method === 'GET')
    return json(200, describeApi(routes, ports.config.publicUrl))
  const { route, isPath } = findRoute(call.method, path)
  // Nobody learns from a refusal what there is.
  if (route !== undefined && route.who !== 'anybody' && call.actor.kind === 'nobody')
    throw call.badCredentials ?? problem('unauthenticated')
  if (route !== undefined) return route.handle(ports, call, path)
  throw problem(isPath ? 'method-not-allowed' : 'not-found', { method: call.method })
}

function renderProblem({ code, status, message, hint, data }: Problem): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="holdfast"'
  if (status === 429 || status === 503) headers['retry-after'] = String(data['retryAfter'] ?? 5)
  return { status, headers, body: JSON.stringify({ ...data, code, status, title: message, hint }) }
}
