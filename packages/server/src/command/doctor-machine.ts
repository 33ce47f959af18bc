// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at around the instance: Node.js, folders, keys, disk. */
import { existsSync } from 'node:fs'
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../main.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'
import { setUpLinkPath } from './set-up-link.ts'

const neededNode = [24, 15] as const
const gib = 1024 ** 3
const hourMs = 3600_000

/** Checks that need no database. */
export function machineChecks(config: Config, now: number): Check[] {
  return [
    { name: 'node', look: async () => checkNode() },
    { name: 'data-folder', look: () => checkDataFolder(config.data) },
    { name: 'keys-folder', look: () => checkKeys(config.keys) },
    { name: 'disk', look: () => checkDisk(config.data) },
    { name: 'mail', look: async () => checkMail(config) },
    { name: 'set-up-link', look: () => checkSetUpLink(setUpLinkPath(config.data), now) },
  ]
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isEnough = major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1])
  const say = `This is Node.js ${process.versions.node}.`
  return isEnough ? ok('node', say) : fail('node', say, `Use Node.js ${neededNode.join('.')} or newer.`)
}

/** Password hashes and private packages lie in there. */
async function checkDataFolder(folder: string): Promise<Finding> {
  if (!existsSync(folder))
    return fail('data-folder', `${folder} is not there.`, 'Check --data, or start the registry once.')
  const { mode, uid } = await stat(folder)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    const todo = 'Run the registry and its commands as the owner of the folder, and not as root.'
    return warn(
      'data-folder',
      `${folder} belongs to user ${uid}, and this is user ${process.getuid()}.`,
      todo,
    )
  }
  if ((mode & 0o077) === 0) return ok('data-folder', `${folder} is for its owner alone.`)
  return warn(
    'data-folder',
    `Other accounts of this machine can look into ${folder}.`,
    `Run \`chmod 700 ${folder}\`.`,
  )
}

async function checkKeys(folder: string): Promise<Finding> {
  if (!existsSync(join(folder, 'npm.pem'))) {
    return warn(
      'keys-folder',
      `There are no keys in ${folder} yet.`,
      'They are made at the first start; if there were keys before, put that folder back first.',
    )
  }
  const open: string[] = []
  for (const name of ['.', ...(await readdir(folder))]) {
    const { mode } = await stat(join(folder, name))
    if ((mode & 0o077) !== 0) open.push(join(folder, name))
  }
  if (open.length === 0) return ok('keys-folder', `The keys in ${folder} are for their owner alone.`)
  const todo = `Run \`chmod -R go-rwx ${folder}\`; if others may have read a key, replace it.`
  return fail('keys-folder', `Other accounts of this machine can reach ${open.join(', ')}.`, todo)
}

async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const free = bavail * bsize
  const say = `${(free / gib).toFixed(1)} GiB are free (${Math.round((bavail / blocks) * 100)} %) where ${folder} lies.`
  if (free < gib / 4) return fail('disk', say, 'Make room now: a full disk stops every publish.')
  return free < gib || bavail / blocks < 0.05 ? warn('disk', say, 'Make room soon.') : ok('disk', say)
}

function checkMail(config: Config): Finding {
  if (config.smtp !== undefined) return ok('mail', 'Mail goes out by SMTP.')
  return ok(
    'mail',
    'There is no SMTP: letters wait in the outbox on the operator page, and nobody can reset a password by mail.',
  )
}

/** Whoever reads the link becomes operator, as long as nobody is. */
async function checkSetUpLink(path: string, now: number): Promise<Finding> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return ok('set-up-link', 'No set-up link is lying around.')
  if (now - found.mtimeMs < hourMs)
    return warn(
      'set-up-link',
      `${path} holds a link that may still work.`,
      'Use it to set up the registry: the server then removes the file.',
    )
  return warn(
    'set-up-link',
    `${path} holds an old link.`,
    `Start the server, which removes it, or: \`rm ${path}\`.`,
  )
}
