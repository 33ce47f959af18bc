// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type ProbeInstance } from './probe.ts'
import {
  type CreationOptions,
  type Faults,
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from './software-passkey.ts'

/** A page as it came. */
export interface ProbePage {
  readonly status: number
  readonly text: string
  readonly location: string
}

/** What a form says. */
export type Fields = Readonly<Record<string, string>>

/** A browser without a screen: keeps its cookie, sends forms as browsers do, and has a device for passkeys. */
export interface ProbeBrowser {
  get(path: string): Promise<ProbePage>
  post(path: string, fields: Fields): Promise<ProbePage>
  /** Makes a passkey on a page that offers that, and sends the page's form with it. */
  create(
    path: string,
    fields: Fields,
  ): Promise<{ readonly page: ProbePage; readonly passkey: SoftwarePasskey }>
  /** Touches a passkey on a page that asks for one; `faults` are what is wrong with the answer. */
  touch(path: string, passkey: SoftwarePasskey, fields?: Fields, faults?: Faults): Promise<ProbePage>
  /** What a page asks the device for. */
  wish(path: string): Promise<PasskeyWish>
  /** The same place without its cookie. */
  fresh(): ProbeBrowser
}

/** What a page asks a device for, with all of its options. */
export interface PasskeyWish {
  readonly challenge: string
  readonly origin: string
  readonly options: Readonly<Record<string, unknown>>
}

/** Opens one on the instance, signed in as nobody. */
export function openProbeBrowser(instance: ProbeInstance): ProbeBrowser {
  let cookie = ''
  const ask = async (path: string, init: RequestInit): Promise<ProbePage> => {
    const reply = await fetch(instance.url + path, { ...init, redirect: 'manual' })
    const set = reply.headers.getSetCookie().find(each => /holdfast-session=/.test(each))
    if (set !== undefined) cookie = set.split(';')[0] ?? ''
    return { status: reply.status, text: await reply.text(), location: reply.headers.get('location') ?? '' }
  }
  const headers = () => ({ origin: new URL(instance.url).origin, ...(cookie === '' ? {} : { cookie }) })
  const get = (path: string) => ask(path, { headers: headers() })
  const post = (path: string, fields: Fields) =>
    ask(path, { method: 'POST', headers: headers(), body: new URLSearchParams(fields) })
  const wish = async (path: string) => readWish(await get(path), path)
  return {
    get,
    post,
    wish,
    fresh: () => openProbeBrowser(instance),
    async create(path, fields) {
      const { challenge, origin, options } = await wish(path)
      const passkey = makeSoftwarePasskey(origin)
      const answer = passkey.create(options as unknown as CreationOptions)
      return { passkey, page: await post(path, { ...fields, challenge, passkey: answer }) }
    },
    async touch(path, passkey, fields = {}, faults = {}) {
      const { challenge, options } = await wish(path)
      const answer = passkey.get(options as unknown as RequestOptions, faults)
      return post(path, { ...fields, challenge, passkey: answer })
    },
  }
}

/** A link by which a new person makes an account, as the path of its page, and the login name to choose there. */
export async function inviteProbe(instance: ProbeInstance): Promise<{ login: string; path: string }> {
  const login = `probe-${randomBytes(5).toString('hex')}`
  const link = await instance.operate('invite', '--email', `${login}@probe.example`)
  return { login, path: new URL(link.trim()).pathname }
}

function readWish({ status, text }: ProbePage, path: string): PasskeyWish {
  const attribute = (name: string) => unescaped(new RegExp(`${name}="([^"]*)"`).exec(text)?.[1] ?? '')
  const options = attribute('data-options')
  demand(options !== '', `${path} must ask for a passkey, and answers ${status} without`)
  const challenge = unescaped(/name="challenge" value="([^"]*)"/.exec(text)?.[1] ?? '')
  return { challenge, origin: attribute('data-origin'), options: JSON.parse(options) }
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
}
