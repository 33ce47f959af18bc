// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type ProbeInstance } from './probe.ts'

/** A page, read. */
export interface ReadPage {
  readonly status: number
  /** Where it leads on to, or empty. */
  readonly location: string
  readonly text: string
}

/** Pages and forms without scripts, with the cookie they set. */
export interface FormBrowser {
  get(path: string): Promise<ReadPage>
  post(path: string, fields: Readonly<Record<string, string>>): Promise<ReadPage>
}

/** Somebody with an account and a password, signed in. */
export interface ProbePerson {
  readonly login: string
  readonly email: string
  readonly password: string
  readonly browser: FormBrowser
}

/** A browser in which nobody is signed in yet. */
export function openFormBrowser({ url }: Pick<ProbeInstance, 'url'>): FormBrowser {
  let cookie = ''
  const send = async (path: string, init: RequestInit): Promise<ReadPage> => {
    const headers = { cookie, origin: url, 'sec-fetch-site': 'same-origin' }
    const reply = await fetch(url + path, { ...init, headers, redirect: 'manual' })
    cookie = reply.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return { status: reply.status, location: reply.headers.get('location') ?? '', text: await reply.text() }
  }
  return {
    get: path => send(path, {}),
    post: (path, fields) => send(path, { method: 'POST', body: new URLSearchParams(fields) }),
  }
}

/** Makes an account by an invitation; its browser is signed in. */
export async function openPerson(
  instance: ProbeInstance,
  roles: readonly string[] = [],
): Promise<ProbePerson> {
  const login = `probe-${randomBytes(5).toString('hex')}`
  const email = `${login}@probe.example`
  const password = randomBytes(18).toString('base64url')
  const asked = ['invite', '--email', email, ...roles.flatMap(role => ['--role', role])]
  const link = (await instance.operate(...asked)).trim()
  const browser = openFormBrowser(instance)
  const made = await browser.post(new URL(link).pathname, { login, password })
  demand(made.status === 303, `an invitation must make an account: ${made.status}`)
  return { login, email, password, browser }
}

/** What somebody sends with a request to be known by their password. */
export function basicOf({ login, password }: Pick<ProbePerson, 'login' | 'password'>): string {
  return `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`
}

/** The path of a link in a letter, for the instance at hand: a letter names the address that others use. */
export function linkIn(text: string | undefined, form: RegExp): string {
  return form.exec(text ?? '')?.[1] ?? ''
}
