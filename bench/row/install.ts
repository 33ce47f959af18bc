// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runNpm } from '../npm.ts'
import { fetchProject, type Lock, nameAt, type Project } from '../project.ts'
import { type Peer, stockOf } from '../server/peer.ts'
import { startField, stopField } from './field.ts'
import { type Found, factor, interleave, type Options, type Row, type Section } from './row.ts'

// The issue asks for at most 1.05 times the time of a static mirror; as a factor that is 1 / 1.05.
const rows = {
  install: {
    id: 'install',
    title: 'npm install, no lock file',
    unit: 's',
    targets: [factor('nginx', 1 / 1.05)],
  },
  ci: { id: 'ci', title: 'npm ci', unit: 's', targets: [] },
} as const satisfies Record<string, Row>

/** npm installing a real project of a thousand packages with an empty cache from a warm registry. */
export const installs: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    options.say('the packages of a real project')
    const project = await fetchOrSkip(options)
    if (!project) return []
    const field = await startField(options, 'install', stockOf(project.releases))
    const peers = field.filter(peer => peer.name !== 'bare')
    try {
      for (const peer of peers) await secondsToInstall(options, peer, project, false) // everything warm, uncounted
      const found: Found[] = []
      for (const row of Object.values(rows).filter(row => wanted.includes(row))) {
        options.say(row.title)
        found.push({ row, samples: await measureInstalls(options, peers, project, row === rows.ci) })
      }
      return found
    } finally {
      await stopField(field)
    }
  },
}

/** The real project, or undefined with a note where it cannot be had. */
export async function fetchOrSkip(options: Options): Promise<Project | undefined> {
  try {
    return await fetchProject(options.cache, options.quick ? 3 : 20)
  } catch (error) {
    options.notes.push(`installs are left out: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

async function measureInstalls(options: Options, peers: readonly Peer[], project: Project, locked: boolean) {
  return interleave(peers, Math.ceil(options.rounds / 2), peer =>
    secondsToInstall(options, peer, project, locked),
  )
}

/** One install into an empty folder with an empty cache; `locked` is `npm ci`. Throws when something was left out. */
export async function secondsToInstall(
  options: Options,
  peer: Peer,
  project: Project,
  locked: boolean,
): Promise<number> {
  const folder = join(options.folder, 'npm-project')
  mkdirSync(folder, { recursive: true })
  copyFileSync(project.packageJson, join(folder, 'package.json'))
  if (locked) writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockFor(peer, project.lock)))
  const registry = ['--registry', `${peer.registry}/`, '--replace-registry-host', 'never']
  const home = ['--cache', join(folder, 'cache'), '--userconfig', join(folder, 'npmrc')]
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier']
  const started = performance.now()
  await runNpm(folder, [locked ? 'ci' : 'install', ...registry, ...home, ...quiet])
  const seconds = (performance.now() - started) / 1000
  checkInstalled(folder, project.lock)
  rmSync(folder, { recursive: true })
  return seconds
}

/** The lock file as npm would have written it with this registry. */
function lockFor(peer: Peer, lock: Lock): Lock {
  const entries = Object.entries(lock.packages).map(([place, entry]) => {
    if (!entry.resolved || !entry.version) return [place, entry] as const
    return [place, { ...entry, resolved: peer.tarballUrl(nameAt(place, entry), entry.version) }] as const
  })
  return { ...lock, packages: Object.fromEntries(entries) }
}

/** An install that left something out must not count as a fast one. */
function checkInstalled(folder: string, lock: Lock): void {
  const top = Object.keys(lock.packages).filter(place => /^node_modules\/[^/@]+$/.test(place))
  const there = new Set(readdirSync(join(folder, 'node_modules')))
  const missing = top.filter(place => !there.has(place.slice('node_modules/'.length)))
  if (missing.length > 3)
    throw new Error(`npm left out ${missing.length} packages: ${missing.slice(0, 5).join(', ')}`)
}
