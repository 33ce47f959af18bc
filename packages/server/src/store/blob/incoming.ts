// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000

/** A fresh name for bytes on their way in, which tells the process that writes them. */
export function makeIncomingName(): string {
  return `${thisHost()}.${process.pid}.${randomBytes(12).toString('hex')}`
}

/** Removes the files of processes that are gone; those of a living process stay, here or on another host. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (await isAbandoned(path, name)) await rm(path, { force: true })
  }
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
  const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs
  if (changedMs === undefined) return false // just kept or discarded by its writer
  if (Date.now() - changedMs > ABANDONED_AFTER_MS) return true
  const [host, pid] = name.split('.')
  if (host !== thisHost()) return false // whether that process lives cannot be seen from here
  // In a container every run has the same process number: what is older than this process is not ours.
  if (Number(pid) === process.pid) return changedMs < Date.now() - process.uptime() * 1000
  return !isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it lives, and belongs to someone else
  }
}

function thisHost(): string {
  return hostname().replace(/[^A-Za-z0-9-]/g, '-')
}
