// SPDX-License-Identifier: Apache-2.0
/** The upstream of an instance whose configuration names none: the registry of npm on this machine, asked once and kept. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isLoopback, withOrigin } from '../config.ts'
import type { Config } from '../main.ts'
import { parseOriginUrl } from '../origin.ts'

/** A configuration for `serve`, and what to say of its upstream; empty where there is nothing new. */
export interface Sourced {
  readonly config: Config
  readonly say: string
}

const patienceMs = 20_000

/** The configuration with the upstream that was found at the first start; the same where it says something of its own. */
export function withKeptOrigin(config: Config): Config {
  if (config.origins !== undefined || !existsSync(fileOf(config))) return config
  const url = parseOriginUrl(readFileSync(fileOf(config), 'utf8').trim())
  return url === undefined ? config : withOrigin(config, url)
}

/** Asks npm for its registry where neither configuration nor an earlier start named an upstream, and keeps the answer. */
export async function withFirstOrigin(config: Config): Promise<Sourced> {
  if (config.origins !== undefined) return { config, say: '' }
  const url = parseOriginUrl(await askNpm())
  if (url === undefined) return { config, say: `npm here names no registry, so ${alone}` }
  if (isOurs(config, url)) return { config, say: `npm here is set to this registry itself, so ${alone}` }
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  // A crash before this asks again at the next start.
  await writeFile(fileOf(config), `${url}\n`)
  const say = `names that are not hosted here come from ${url}, as npm here is set (kept in ${fileOf(config)})`
  return { config: withOrigin(config, url), say }
}

const alone = 'nothing comes from elsewhere; `origins` in the configuration names an upstream'

function fileOf({ data }: Config): string {
  return join(data, 'origin')
}

/** What `npm config get registry` says; npm starts us with that in the environment, where it is not its default. */
async function askNpm(): Promise<string> {
  const told = process.env['npm_config_registry']
  if (told !== undefined && told !== '') return told
  try {
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], {
      timeout: patienceMs,
      shell: process.platform === 'win32',
    })
    return stdout.trim()
  } catch {
    return ''
  }
}

/** A registry that asks itself would wait for itself. What this does not see, its keys show: see `ownKeyId` of an upstream. */
function isOurs(config: Config, url: string): boolean {
  const [theirs, ours] = [new URL(url), new URL(config.publicUrl)]
  if (theirs.host === ours.host) return true
  return isLoopback(theirs.hostname) && Number(theirs.port) === config.port
}
