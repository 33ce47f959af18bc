// SPDX-License-Identifier: Apache-2.0
/** Pages rendered on the server, over the same flows as every protocol. */
import { isProblem, type Problem, problem } from '@holdfast/core'
import { Hono } from 'hono'
import { answerMiss } from '../flow/index.ts'
import type { Answer, Call, Mount } from '../http/index.ts'
import type { Ports } from '../ports.ts'
import { isSentAsRead } from './answer.ts'
import { findAsset } from './asset.ts'
import { findVisitor, type WebEnv } from './context.ts'
import { checkOrigin } from './origin.ts'
import { problemAnswer } from './page/problem.ts'
import { addRoutes } from './route.ts'

/** The pages, under everything that no protocol took. */
export function webMount(ports: Ports): Mount {
  const app = new Hono<WebEnv>()
  addRoutes(app)
  app.notFound(() => {
    throw problem('not-found')
  })
  // Problems are rendered, and bugs logged, in one place: the shell around all mounts.
  app.onError(error => {
    throw error
  })
  return {
    prefix: '/',
    classOf: () => 'page',
    renderProblem: (trouble: Problem, call: Call) => problemAnswer(ports.config, trouble, call),
    handle: call => handle(app, ports, call),
  }
}

const openWhenLeaked = ['/account/password', '/confirm', '/sign-in', '/sign-out']

/** Whose password others have seen changes it before anything else. */
function checkPasswordChange(call: Call): void {
  const isFree = openWhenLeaked.includes(call.url.split('?')[0] ?? '')
  if (!isFree && findVisitor(call.actor)?.mustChangePassword === true) throw problem('password-leaked')
}

/** What a secret link that is none leads to; so many of them from one address are somebody who tries. */
const misses = new Set<string>(['approval-over', 'invitation-invalid', 'recovery-over'])

async function countMiss(ports: Ports, { actor }: Call, error: unknown): Promise<never> {
  const address = 'from' in actor ? actor.from.address : ''
  throw isProblem(error) && misses.has(error.code) ? await answerMiss(ports, 'link', address, error) : error
}

async function handle(app: Hono<WebEnv>, ports: Ports, call: Call): Promise<Answer> {
  const isRead = call.method === 'GET' || call.method === 'HEAD'
  if (call.url.startsWith('/assets/')) {
    const asset = isRead ? findAsset(call.url) : undefined
    if (asset === undefined) throw problem('not-found')
    return asset
  }
  if (!isRead && call.method !== 'POST') throw problem('method-not-allowed', { method: call.method })
  if (call.method === 'POST') checkOrigin(ports.config, call)
  checkPasswordChange(call)
  // A HEAD is answered as a GET; its body is left out where it would be sent.
  const request = new Request(`http://pages${call.url}`, { method: isRead ? 'GET' : 'POST' })
  const response = await Promise.resolve(app.fetch(request, { call, ports })).catch(error =>
    countMiss(ports, call, error),
  )
  const { status, body } = response
  const headers = Object.fromEntries(response.headers)
  if (body !== null && isSentAsRead(response)) return { status, headers, flow: body }
  return { status, headers, body: Buffer.from(await response.arrayBuffer()) }
}
