// SPDX-License-Identifier: Apache-2.0
/** A browser without a browser: pages asked for and forms sent over HTTP, with the headers that browsers send. */
import type { Reply, Someone, World } from '../world.ts'

/** Somebody at a page: signed in when there is a cookie. */
export interface Visit {
  readonly cookie?: string
  /** The browser's own headers about where a form comes from; by default our own page. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks for a page. */
export function get(world: World, path: string, { cookie, headers }: Visit = {}): Promise<Reply> {
  return world.ask(`GET ${path}`, { headers: { ...(cookie === undefined ? {} : { cookie }), ...headers } })
}

/** Sends a form as a browser does. */
export async function post(
  world: World,
  path: string,
  fields: Readonly<Record<string, string>>,
  { cookie, headers }: Visit = {},
): Promise<Reply> {
  const answer = await fetch(world.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(headers ?? { origin: world.url, 'sec-fetch-site': 'same-origin' }),
      ...(cookie === undefined ? {} : { cookie }),
    },
    body: new URLSearchParams(fields).toString(),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text(), body: undefined }
}

/** Signs in by the page, and gives the cookie that came back. */
export async function signInByPage(world: World, who: Someone): Promise<string> {
  const reply = await post(world, '/sign-in', { login: who.login, password: who.password })
  return reply.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}
