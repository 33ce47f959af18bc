// SPDX-License-Identifier: Apache-2.0
import { resendVerification, verifyEmail } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { findVisitor, getVisitor, type PageContext, whenceOf } from '../context.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'

/** The page behind the link in the letter. It only asks: mail scanners open every link they see. */
export function verifyPage(c: PageContext): Response {
  const main = html`<h1>Confirm your e-mail address</h1>
<form class="form" method="post" action="${c.req.path}"><button type="submit">Confirm</button></form>`
  return sheet(c, { title: 'Confirm your e-mail address', main, path: '/' })
}

export async function verifySubmit(c: PageContext): Promise<Response> {
  await verifyEmail(c.env.ports, c.req.param('code') ?? '', whenceOf(c))
  const isSignedIn = findVisitor(c.env.call.actor) !== undefined
  return leadTo(c, isSignedIn ? '/account?done=verified' : '/sign-in?done=verified')
}

/** Sends the letter once more. */
export async function resendSubmit(c: PageContext): Promise<Response> {
  await resendVerification(c.env.ports, getVisitor(c))
  return leadTo(c, '/account?done=sent')
}
