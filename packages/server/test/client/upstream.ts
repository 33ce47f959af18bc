// SPDX-License-Identifier: Apache-2.0
/** The tarballs that a lock file names, from the registry that npm on this machine is configured for, kept for next time. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const atOnce = 12
const attempts = 4

interface Locked {
  readonly name: string
  readonly version: string
  readonly integrity: string
}

/** What a lock file pins, each once. */
export async function readLock(file: string): Promise<readonly Locked[]> {
  const lock = JSON.parse(await readFile(file, 'utf8')) as { packages: Record<string, Partial<Locked>> }
  const found = new Map<string, Locked>()
  for (const [path, { name, version, integrity }] of Object.entries(lock.packages)) {
    if (version === undefined || integrity === undefined) continue
    const real = name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    found.set(`${real}@${version}`, { name: real, version, integrity })
  }
  return [...found.values()]
}

/** A folder with the tarballs, each checked against its digest. Rejects when the registry cannot be reached. */
export async function fetchTarballs(locked: readonly Locked[]): Promise<string> {
  const folder = join(root, '.cache/tarball')
  await mkdir(folder, { recursive: true })
  const missing = locked.filter(each => !existsSync(join(folder, fileOf(each))))
  if (missing.length > 0) {
    const registry = await configuredRegistry()
    const waiting = missing.values()
    await Promise.all(Array.from({ length: atOnce }, () => fetchAll(waiting, registry, folder)))
  }
  return folder
}

/** npm's own setting, from the environment or its files: no host is written here. */
async function configuredRegistry(): Promise<string> {
  const npm = join(root, 'node_modules/npm/bin/npm-cli.js')
  const { stdout } = await promisify(execFile)(process.execPath, [npm, 'config', 'get', 'registry'], {
    cwd: root,
  })
  return stdout.trim().replace(/\/?$/, '/')
}

async function fetchAll(waiting: Iterable<Locked>, registry: string, folder: string): Promise<void> {
  for (const each of waiting) {
    const bytes = await fetchOne(each, registry)
    const digest = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    if (digest !== each.integrity)
      throw new Error(`${each.name}@${each.version} is not what the lock file says`)
    const file = join(folder, fileOf(each))
    await writeFile(`${file}.part`, bytes)
    // An import takes a file's age for the version's: older than any client's release age.
    await utimes(`${file}.part`, new Date('2025-08-01'), new Date('2025-08-01'))
    await rename(`${file}.part`, file)
  }
}

async function fetchOne({ name, version }: Locked, registry: string): Promise<Buffer> {
  const url = `${registry}${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) })
      if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
      return Buffer.from(await answer.arrayBuffer())
    } catch (error) {
      if (attempt === attempts) throw error
      await delay(attempt * 500)
    }
  }
}

function fileOf({ name, version }: Locked): string {
  return `${name.replace('/', '+')}-${version}.tgz`
}
