// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type ProbeInstance } from './probe.ts'

/** Somebody at a browser: gives the text of a page. */
export type ProbeVisitor = (path: string) => Promise<string>

/** An operator who is signed in at the pages, made by an invitation as the machine's owner makes them. */
export async function openProbeOperator(instance: ProbeInstance): Promise<ProbeVisitor> {
  const login = `probe-${randomBytes(5).toString('hex')}`
  const invited = await instance.operate('invite', '--email', `${login}@probe.example`, '--role', 'operator')
  const form = await fetch(instance.url + new URL(invited.trim()).pathname, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(instance.url).origin },
    body: new URLSearchParams({ login, password: randomBytes(18).toString('base64url') }),
  })
  const cookie = form.headers.getSetCookie()[0]?.split(';')[0]
  demand(cookie !== undefined, `an invitation must sign in whom it makes an account for: ${form.status}`)
  return async path => {
    const page = await fetch(instance.url + path, { headers: { cookie }, redirect: 'manual' })
    demand(page.status === 200, `${path} must be open to an operator: ${page.status}`)
    return page.text()
  }
}
