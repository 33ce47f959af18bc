// SPDX-License-Identifier: Apache-2.0
/** The upstream of an instance whose configuration names none: the registry of npm on this machine, and how npm gets there, asked once and kept. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isLoopback, withOrigin } from '../config.ts'
import type { Config } from '../main.ts'
import { parseOriginUrl, parseProxyUrl } from '../origin.ts'

/** A configuration for `serve`, and what to say of its upstream; empty where there is nothing new. */
export interface Sourced {
  readonly config: Config
  readonly say: string
}

/** The registry, and how to get there: a file of certificates that are believed too, and a proxy. */
interface NpmOrigin {
  readonly url: string
  readonly cafile: string | undefined
  readonly proxy: string | undefined
}

const patienceMs = 20_000
/** What npm is asked for; it puts each that is not its default into the environment of what it starts. */
const settings = ['registry', 'cafile', 'https-proxy', 'proxy', 'noproxy'] as const
type Settings = Readonly<Partial<Record<(typeof settings)[number], string>>>

/** The configuration with the upstream that was found at the first start; the same where it says something of its own. */
export function withKeptOrigin(config: Config): Config {
  if (config.origins !== undefined || !existsSync(fileOf(config))) return config
  const kept = parseKept(readFileSync(fileOf(config), 'utf8'))
  return kept === undefined ? config : withNpm(config, kept)
}

/** Asks npm for its registry where neither configuration nor an earlier start named an upstream, and keeps the answer. */
export async function withFirstOrigin(config: Config): Promise<Sourced> {
  if (config.origins !== undefined) return { config, say: '' }
  const found = originOf(await askNpm())
  if (found === undefined) return { config, say: `npm here names no registry, so ${alone}` }
  if (isOurs(config, found.url))
    return { config, say: `npm here is set to this registry itself, so ${alone}` }
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  // A crash before this asks again at the next start. A proxy may have its password in its address.
  await writeFile(fileOf(config), formatKept(found), { mode: 0o600 })
  const way = [
    ...(found.cafile === undefined ? [] : [`, by the certificates of ${found.cafile}`]),
    ...(found.proxy === undefined ? [] : [`, through the proxy ${new URL(found.proxy).host}`]),
  ].join('')
  const say = `names that are not hosted here come from ${found.url}${way}, as npm here is set (kept in ${fileOf(config)})`
  return { config: withNpm(config, found), say }
}

const alone = 'nothing comes from elsewhere; `origins` in the configuration names an upstream'

function withNpm(config: Config, { url, cafile, proxy }: NpmOrigin): Config {
  return withOrigin(config, { url, proxy, ca: cafile && readCertificates(cafile) })
}

/** npm goes on without a file that is not there, and so do we: whoever needs it is told by `doctor` that nobody is believed. */
function readCertificates(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function fileOf({ data }: Config): string {
  return join(data, 'origin')
}

/** The address in a line of its own, then a word and its value in each. */
function formatKept({ url, cafile, proxy }: NpmOrigin): string {
  const ways = [cafile && `cafile ${cafile}`, proxy && `proxy ${proxy}`].filter(line => line !== undefined)
  return [url, ...ways, ''].join('\n')
}

function parseKept(text: string): NpmOrigin | undefined {
  const [first = '', ...ways] = text.split('\n').map(line => line.trim())
  const url = parseOriginUrl(first)
  const wayBy = (word: string) => ways.find(line => line.startsWith(`${word} `))?.slice(word.length + 1)
  const proxy = parseProxyUrl(wayBy('proxy') ?? '')
  return url === undefined ? undefined : { url, cafile: wayBy('cafile'), proxy }
}

/** npm writes `null` for what is not set. */
function originOf(said: Settings): NpmOrigin | undefined {
  const url = parseOriginUrl(said.registry ?? '')
  if (url === undefined) return undefined
  const { protocol, hostname } = new URL(url)
  const around = (said.noproxy ?? '').split(',').map(each => each.trim().replace(/^\./, ''))
  const isDirect = around.some(each => each !== '' && `.${hostname}`.endsWith(`.${each}`))
  const asked = protocol === 'https:' ? (parseProxyUrl(said['https-proxy'] ?? '') ?? said.proxy) : said.proxy
  const cafile = said.cafile === undefined || said.cafile === 'null' ? undefined : said.cafile
  return { url, cafile, proxy: isDirect ? undefined : parseProxyUrl(asked ?? '') }
}

/** What npm that started us put into our environment, else what it answers; nothing where it does not. */
async function askNpm(): Promise<Settings> {
  const told = settings.map(key => [key, process.env[`npm_config_${key.replace('-', '_')}`] ?? ''] as const)
  const registry = process.env['npm_config_registry']
  if (registry !== undefined && registry !== '') return Object.fromEntries(told)
  try {
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', ...settings], {
      timeout: patienceMs,
      shell: process.platform === 'win32',
    })
    return Object.fromEntries(
      stdout.split('\n').map(line => {
        const mark = line.indexOf('=')
        return [line.slice(0, Math.max(mark, 0)), line.slice(mark + 1).trim()]
      }),
    )
  } catch {
    return {}
  }
}

/** A registry that asks itself would wait for itself. What this does not see, its keys show: see `ownKeyId` of an upstream. */
function isOurs(config: Config, url: string): boolean {
  const [theirs, ours] = [new URL(url), new URL(config.publicUrl)]
  if (theirs.host === ours.host) return true
  return isLoopback(theirs.hostname) && Number(theirs.port) === config.port
}
