// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast ci login --registry URL [--scope @NAME]... [--file FILE]

Signs a CI job in by its own identity, to install: asks the CI service for an identity token, exchanges it for a
token that reads for an hour, and writes that into the job's .npmrc (~/.npmrc, or what NPM_CONFIG_USERCONFIG names).
With --scope only that scope comes from this registry, without it every package. The token is never printed.

The identity token comes from GitHub Actions (permissions: id-token: write), from CircleCI, or from the variable
HOLDFAST_ID_TOKEN or NPM_ID_TOKEN, where GitLab's id_tokens and Jenkins put it. Exit code 2 when there is none, or
when the registry does not take it.

Example: holdfast ci login --registry https://registry.example --scope @acme
`

const withinMs = 30_000

/** Runs `holdfast ci …`: 0 when the job is signed in. */
export async function runCi(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      registry: { type: 'string' },
      scope: { type: 'string', multiple: true },
      file: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(usage)
  if (positionals.join(' ') !== 'login')
    throw new UsageError('holdfast ci needs to know what to do', 'Write holdfast ci login --registry URL.')
  const place = readPlace(values.registry, values.scope ?? [])
  const given = await exchange(place, await findIdentity(`npm:${new URL(place.url).hostname}`))
  // Whatever prints it later in this job shows stars.
  if (process.env['GITHUB_ACTIONS'] === 'true') print(`::add-mask::${given.token}\n`)
  const file = values.file ?? process.env['NPM_CONFIG_USERCONFIG'] ?? join(homedir(), '.npmrc')
  await writeNpmrc(file, place, given.token)
  return print(`Signed in to ${new URL(place.url).host} until ${given.expires}; the token is in ${file}.\n`)
}

interface Place {
  /** Without a slash at the end. */
  readonly url: string
  readonly scopes: readonly string[]
}

function readPlace(registry: string | undefined, scopes: readonly string[]): Place {
  if (registry === undefined || !URL.canParse(registry) || !/^https?:$/.test(new URL(registry).protocol))
    throw new UsageError('--registry URL is missing', 'Name the registry, such as https://registry.example.')
  const wrong = scopes.find(scope => !/^@[\w.-]+$/.test(scope))
  if (wrong !== undefined) throw new UsageError(`--scope ${wrong} is no scope`, 'Write it like @acme.')
  return { url: registry.replace(/(\/npm)?\/*$/, ''), scopes }
}

/** The job's identity token, meant for this registry. */
async function findIdentity(audience: string): Promise<string> {
  const { env } = process
  const given = env['HOLDFAST_ID_TOKEN'] || env['NPM_ID_TOKEN']
  if (given) return given
  const [url, secret] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'], env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']]
  if (url && secret) return askGithub(url, secret, audience)
  if (env['CIRCLECI'] === 'true') return askCircle(audience)
  throw new UsageError(
    'this job has no identity token',
    'GitHub: add "permissions: id-token: write" to the job. GitLab: add id_tokens. Elsewhere: put it into HOLDFAST_ID_TOKEN.',
  )
}

async function askGithub(url: string, secret: string, audience: string): Promise<string> {
  const address = new URL(url)
  address.searchParams.set('audience', audience)
  const answer = await ask(address, { headers: { authorization: `Bearer ${secret}` } })
  const { value } = (await answer.json().catch(() => ({}))) as { value?: unknown }
  if (answer.ok && typeof value === 'string') return value
  throw new UsageError(
    `GitHub gave no identity token (${answer.status})`,
    'Check the permissions of the job.',
  )
}

async function askCircle(audience: string): Promise<string> {
  const line = ['run', 'oidc', 'get', '--claims', JSON.stringify({ aud: audience })]
  const done = await promisify(execFile)('circleci', line, { timeout: withinMs }).catch((error: Error) => {
    throw new UsageError(
      `CircleCI gave no identity token: ${error.message}`,
      'Run this inside a job of CircleCI.',
    )
  })
  return done.stdout.trim()
}

async function exchange({ url }: Place, jwt: string): Promise<{ token: string; expires: string }> {
  const headers = { authorization: `Bearer ${jwt}` }
  const answer = await ask(new URL(`${url}/api/v1/ci/token`), { method: 'POST', headers })
  const body = (await answer.json().catch(() => ({}))) as Partial<
    Record<'token' | 'expires' | 'title' | 'hint', string>
  >
  const { token, expires = '', title = `${new URL(url).host} answered ${answer.status}` } = body
  if (answer.ok && token !== undefined && /^\w+$/.test(token)) return { token, expires }
  throw new UsageError(title, body.hint ?? 'Check the address and try again.')
}

/** Redirects would carry the job's identity elsewhere. */
function ask(address: URL, init: RequestInit): Promise<Response> {
  const signal = AbortSignal.timeout(withinMs)
  return fetch(address, { ...init, redirect: 'error', signal }).catch((error: Error) => {
    throw new UsageError(
      `${address.host} cannot be asked: ${error.message}`,
      'Check the address and try again.',
    )
  })
}

/** Replaces what says the same, keeps the rest; nobody else on the machine reads it. */
async function writeNpmrc(file: string, { url, scopes }: Place, token: string): Promise<void> {
  const registry = `${url}/npm/`
  const wanted = [
    ...(scopes.length === 0 ? ['registry'] : scopes.map(scope => `${scope}:registry`)).map(key => [
      key,
      registry,
    ]),
    [`${registry.replace(/^https?:/, '')}:_authToken`, token],
  ] as const
  const before = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const keys = new Set(wanted.map(([key]) => key))
  const kept = before.split('\n').filter(line => line !== '' && !keys.has((line.split('=')[0] ?? '').trim()))
  const aside = `${file}.${process.pid}.new`
  await writeFile(aside, `${[...kept, ...wanted.map(([key, value]) => `${key}=${value}`)].join('\n')}\n`, {
    mode: 0o600,
  })
  await chmod(aside, 0o600)
  await rename(aside, file)
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
