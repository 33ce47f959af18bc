// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import type { Config } from '../../config.ts'
import type { Answer, Call } from '../../http/index.ts'
import { findVisitor } from '../context.ts'
import { pageHeaders } from '../header.ts'
import { renderSheet } from '../layout.ts'
import { html } from '../markup.ts'
import { localPath } from '../origin.ts'
import { hintOf } from '../part/notice.ts'

/** A problem as a page: what happened, what to do next, the right status. Who must sign in is led there and back. */
export function problemAnswer(config: Config, trouble: Problem, call: Call): Answer {
  const isRead = call.method === 'GET' || call.method === 'HEAD'
  if (trouble.code === 'unauthenticated' && findVisitor(call.actor) === undefined) {
    const next = isRead ? `?next=${encodeURIComponent(call.url)}` : ''
    return { status: 303, headers: { ...pageHeaders(config), location: `/sign-in${next}` } }
  }
  if (trouble.code === 'password-leaked')
    return { status: 303, headers: { ...pageHeaders(config), location: '/account/password?why=leaked' } }
  if (trouble.code === 'presence-required') {
    const next = encodeURIComponent(localPath(call.url))
    return { status: 303, headers: { ...pageHeaders(config), location: `/confirm?next=${next}` } }
  }
  if (trouble.code === 'passkey-proof-required' && findVisitor(call.actor)?.hasPasskey === true) {
    const next = encodeURIComponent(localPath(call.url))
    return {
      status: 303,
      headers: { ...pageHeaders(config), location: `/confirm?with=passkey&next=${next}` },
    }
  }
  const main = html`<div class="problem">
<p class="code">${trouble.status}</p>
<h1>${trouble.message}</h1>
<p>${hintOf(trouble)}</p>
<p class="small">Problem <code>${trouble.code}</code>, request <code>${call.id}</code>. <a href="/">Home</a> · <a href="/search">All packages</a></p>
</div>`
  const path = isRead ? call.url : '/'
  return renderSheet(config, call.actor, { title: trouble.message, main, trouble, path })
}
