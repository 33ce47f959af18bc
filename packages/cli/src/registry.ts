// SPDX-License-Identifier: Apache-2.0
/** The registry that commands speak to: named, or the one npm is set to, with npm's token for it. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './usage-error.ts'

const withinMs = 60_000

export interface Registry {
  /** Where its own API lies, without a slash at the end. */
  readonly url: string
  /** Sent to this host and nowhere else; undefined where npm has none for it. */
  readonly token: string | undefined
}

/** `given`, or what `.npmrc` of the project or the user says, for the scope of a name first. HOLDFAST_TOKEN goes before npm's token. */
export async function findRegistry(given: string | undefined, name = ''): Promise<Registry> {
  const settings = await readSettings()
  const scope = name.startsWith('@') ? name.split('/')[0] : undefined
  const told =
    given ??
    (scope === undefined ? undefined : settings.get(`${scope}:registry`)) ??
    process.env['npm_config_registry'] ??
    settings.get('registry')
  if (told === undefined || !URL.canParse(told) || !/^https?:$/.test(new URL(told).protocol))
    throw new UsageError('--registry URL is missing', 'Name the registry, such as https://registry.example.')
  const url = told.replace(/\/+$/, '').replace(/\/npm$/, '')
  const token =
    process.env['HOLDFAST_TOKEN'] ?? settings.get(`${url.replace(/^https?:/, '')}/npm/:_authToken`)
  return { url, token }
}

/** Asks the registry's API. Throws `UsageError` with the registry's own words where it refuses. */
export async function askRegistry(
  { url, token }: Registry,
  method: 'GET' | 'POST',
  path: string,
  sent: { readonly body?: unknown; readonly otp?: string | undefined } = {},
): Promise<unknown> {
  const { host } = new URL(url)
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    // A redirect would carry the token elsewhere.
    redirect: 'error',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(sent.otp === undefined ? {} : { 'npm-otp': sent.otp }),
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
    signal: AbortSignal.timeout(withinMs),
  }).catch((error: Error) => {
    throw new UsageError(`${host} cannot be asked: ${error.message}`, 'Check the address and try again.')
  })
  const told = (await answer.json().catch(() => undefined)) as { title?: unknown; hint?: unknown } | undefined
  if (answer.ok && told !== undefined) return told
  if (typeof told?.title !== 'string')
    throw new UsageError(
      `${host} is no Holdfast registry (${answer.status})`,
      'Name another one with --registry.',
    )
  throw new UsageError(told.title, typeof told.hint === 'string' ? told.hint : '')
}

async function readSettings(): Promise<ReadonlyMap<string, string>> {
  const user = process.env['NPM_CONFIG_USERCONFIG'] ?? join(homedir(), '.npmrc')
  const settings = new Map<string, string>()
  // The project's lines win.
  for (const file of [user, '.npmrc']) {
    const text = await readFile(file, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*"?(.*?)"?\s*$/.exec(line) ?? []
      if (key !== undefined && value !== undefined) settings.set(key, fromEnvironment(value))
    }
  }
  return settings
}

/** npm fills `${NAME}` from the environment. */
function fromEnvironment(value: string): string {
  return value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => process.env[name] ?? whole)
}
