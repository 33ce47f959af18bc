// SPDX-License-Identifier: Apache-2.0
import type { ProbeInstance } from './probe.ts'

/** What signing in from the command line answers. */
export interface LoginReply {
  readonly status: number
  readonly text: string
  /** Empty when there is none. */
  readonly token: string
}

/** Signs in as `npm login --auth-type=legacy` does; `otp` is sent exactly as it is. */
export async function loginAsNpm(
  { url }: Pick<ProbeInstance, 'url'>,
  { login, password }: { readonly login: string; readonly password: string },
  otp = '',
): Promise<LoginReply> {
  const reply = await fetch(`${url}/npm/-/user/org.couchdb.user:${login}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...(otp === '' ? {} : { 'npm-otp': otp }) },
    body: JSON.stringify({ _id: `org.couchdb.user:${login}`, name: login, password, type: 'user' }),
  })
  const text = await reply.text()
  const token = reply.status === 201 ? String(JSON.parse(text)['token']) : ''
  return { status: reply.status, text, token }
}
