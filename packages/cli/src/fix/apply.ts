// SPDX-License-Identifier: Apache-2.0
/** Carries out steps by the project's own package manager, and takes back what fails. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LockManager, mapAt, readBlocks } from '@holdfast/core'
import { openProject, type Project } from '../project.ts'
import { setJsonText } from './json-text.ts'
import {
  addPnpmOverride,
  carryPins,
  dropNpmEntries,
  dropPnpmOverrides,
  type Edit,
  listOverrides,
  type Target,
} from './override.ts'
import { listRaised, type Step, type Upgrade } from './plan.ts'

/** Why steps were taken back. */
export interface Failure {
  readonly why: string
}

/** Texts of files of the project by their paths within it; undefined for one that is not there. */
type Files = Map<string, string | undefined>

interface Program {
  readonly name: string
  /** Writes the lock file and, where the manager can, nothing else; runs no script. */
  readonly lock: readonly string[]
  readonly install: readonly string[]
}

const programs: Readonly<Record<LockManager, Program>> = {
  npm: {
    name: 'npm',
    lock: ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'],
    install: ['install', '--no-audit', '--no-fund'],
  },
  pnpm: {
    name: 'pnpm',
    lock: ['install', '--lockfile-only', '--ignore-scripts', '--no-frozen-lockfile'],
    install: ['install', '--no-frozen-lockfile'],
  },
  yarn: {
    name: 'yarn',
    lock: ['install', '--ignore-scripts', '--non-interactive'],
    install: ['install', '--non-interactive'],
  },
  berry: { name: 'yarn', lock: ['install', '--mode=update-lockfile'], install: ['install'] },
  bun: { name: 'bun', lock: ['install', '--lockfile-only', '--ignore-scripts'], install: ['install'] },
}
const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies'] as const
const shownOutput = 2000

/** The project after some steps, or why they were taken back: then every file is as it was, byte for byte. */
export async function applySteps(
  project: Project,
  steps: readonly Step[],
  test: string | undefined,
): Promise<Project | Failure> {
  const upgrades = steps.flatMap(step => step.upgrades)
  const before = readFiles(project)
  const restore = () => writeFiles(project.folder, before)
  const stop = () => {
    restore()
    process.exit(130)
  }
  process.once('SIGINT', stop)
  try {
    const after = await carryOut(project, before, upgrades)
    const failed = 'why' in after ? after : await verify(after, test)
    if (failed === undefined) return after as Project
    restore()
    // What was installed for the test goes back too; whatever that writes is not kept.
    if (test !== undefined) await run(project, programs[project.graph.manager].install)
    restore()
    return failed
  } catch (error) {
    restore()
    throw error
  } finally {
    process.off('SIGINT', stop)
  }
}

/**
 * In two strokes, so that nothing but what was planned moves: first each version is pinned, then the manifest says what it is
 * to say from now on, and the lock file keeps what was pinned.
 */
async function carryOut(
  project: Project,
  before: Files,
  upgrades: readonly Upgrade[],
): Promise<Project | Failure> {
  const { folder, graph } = project
  const { lock } = programs[graph.manager]
  const pnpmFile = graph.manager === 'pnpm' ? await findPnpmFile(project, before) : 'package.json'
  const targetOf = ({ name, from }: Upgrade): Target => ({
    manager: graph.manager,
    pnpmFile,
    isAmbiguous: [...graph.nodes.values()].some(node => node.name === name && node.version !== from),
  })
  const unable = upgrades.find(
    each =>
      graph.manager === 'bun' &&
      targetOf(each).isAmbiguous &&
      listOverrides(targetOf(each), each, false).length > 0,
  )
  if (unable !== undefined) return { why: `bun cannot move one version of ${unable.name} and leave another` }
  const lockName = project.lockFile.slice(folder.length + 1)
  const first = edit(before, upgrades, targetOf, 'pinned')
  if (graph.manager === 'npm' && graph.roots.length > 1) loosen(first, lockName, before, upgrades)
  writeFiles(folder, first)
  const pinned = await run(project, lock)
  if (pinned !== undefined) return pinned
  const carried = carryLock(
    readFileSync(project.lockFile, 'utf8'),
    before.get(lockName) ?? '',
    graph.manager,
    upgrades,
    targetOf,
  )
  writeFiles(folder, edit(before, upgrades, targetOf, 'lasting').set(lockName, carried))
  const lasting = await run(project, lock)
  if (lasting !== undefined) return lasting
  const after = await openProject(project.lockFile)
  const stayed = upgrades.find(({ name, from }) =>
    [...after.graph.nodes.values()].some(node => node.name === name && node.version === from),
  )
  return stayed === undefined ? after : { why: `${stayed.name} ${stayed.from} is still in the lock file` }
}

/** The lock file of the first stroke as the second one must find it, so that it keeps what was pinned. */
function carryLock(
  text: string,
  before: string,
  manager: LockManager,
  upgrades: readonly Upgrade[],
  targetOf: (upgrade: Upgrade) => Target,
): string {
  const keysOf = (isLasting: boolean) =>
    new Set(
      upgrades
        .flatMap(each => listOverrides(targetOf(each), each, isLasting))
        .map(({ path }) => path.at(-1) ?? ''),
    )
  if (manager === 'pnpm') {
    const known = mapAt(readBlocks(before), 'overrides')
    const lasting = keysOf(true)
    const passing = [...keysOf(false)].filter(key => !lasting.has(key) && !known.has(key))
    return dropPnpmOverrides(text, new Set(passing))
  }
  return upgrades.reduce((now, each) => carryPins(manager, now, each, listRanges(each)), text)
}

/** What will ask for an upgrade when all is written. */
function listRanges(upgrade: Upgrade): readonly { as: string; range: string }[] {
  const raised = new Map(listRaised(upgrade).map(({ as, range }) => [as, range]))
  return upgrade.askers.flatMap(({ by, as, range }) => {
    const said = by.kind === 'root' ? (raised.get(as) ?? range) : range
    return said === undefined ? [] : [{ as, range: said }]
  })
}

/** Below workspaces npm looks at nothing that is locked, whatever its overrides say: what is overridden, and who asks for it, is locked anew, as it was. */
function loosen(files: Files, lockName: string, before: Files, upgrades: readonly Upgrade[]): void {
  const askers = upgrades
    .filter(each => each.isOverride)
    .flatMap(each => each.askers.flatMap(({ by }) => (by.kind === 'node' ? [by] : [])))
  if (askers.length === 0) return
  const root = JSON.parse(before.get('package.json') ?? '{}') as Readonly<Record<string, object | undefined>>
  const loose = askers.filter(
    ({ name }) => !dependencyFields.some(field => Object.hasOwn(root[field] ?? {}, name)),
  )
  for (const { name, version } of loose)
    addOverride(files, { file: 'package.json', path: ['overrides', `${name}@${version}`], value: version })
  const moved = [...loose, ...upgrades.map(({ name, from }) => ({ name, version: from }))]
  files.set(lockName, dropNpmEntries(before.get(lockName) ?? '{}', moved))
}

function edit(
  before: Files,
  upgrades: readonly Upgrade[],
  targetOf: (upgrade: Upgrade) => Target,
  stroke: 'pinned' | 'lasting',
): Files {
  const files = new Map(
    [...before].filter(([name]) => name.endsWith('package.json') || name === 'pnpm-workspace.yaml'),
  )
  for (const upgrade of upgrades) {
    const raised = new Map(listRaised(upgrade).map(({ folder, as, range }) => [`${folder}\0${as}`, range]))
    for (const { by, as, range } of upgrade.askers) {
      if (by.kind !== 'root') continue
      const alias = as === upgrade.name ? '' : `npm:${upgrade.name}@`
      const said = stroke === 'pinned' ? `${alias}${upgrade.to}` : raised.get(`${by.folder}\0${as}`)
      if (said !== undefined && said !== range) setRange(files, by.folder, as, said)
    }
    for (const each of listOverrides(targetOf(upgrade), upgrade, stroke === 'lasting'))
      addOverride(files, each)
  }
  return files
}

function setRange(files: Files, folder: string, name: string, range: string): void {
  const file = join(folder, 'package.json')
  const text = files.get(file)
  if (text === undefined) return
  const manifest = JSON.parse(text) as Readonly<Record<string, unknown>>
  const fields = dependencyFields.filter(field => Object.hasOwn((manifest[field] ?? {}) as object, name))
  files.set(
    file,
    fields.reduce((now, field) => setJsonText(now, [field, name], range), text),
  )
}

function addOverride(files: Files, { file, path, value }: Edit): void {
  const text = files.get(file) ?? ''
  files.set(
    file,
    file === 'package.json'
      ? setJsonText(text, path, value)
      : addPnpmOverride(text, path.at(-1) ?? '', value),
  )
}

/** Where pnpm of this version reads overrides from. */
async function findPnpmFile(project: Project, files: Files): Promise<Edit['file']> {
  if (/^overrides:/m.test(files.get('pnpm-workspace.yaml') ?? '')) return 'pnpm-workspace.yaml'
  const { output } = await spawnIn(project.folder, programs.pnpm.name, ['--version'], false)
  return Number.parseInt(output, 10) >= 11 ? 'pnpm-workspace.yaml' : 'package.json'
}

async function verify(project: Project, test: string | undefined): Promise<Failure | undefined> {
  if (test === undefined) return undefined
  const installed = await run(project, programs[project.graph.manager].install)
  if (installed !== undefined) return installed
  const { code, output } = await spawnIn(project.folder, test, [], true)
  return code === 0 ? undefined : { why: `${test} fails with it: ${lastLines(output)}` }
}

async function run({ folder, graph }: Project, args: readonly string[]): Promise<Failure | undefined> {
  const { name } = programs[graph.manager]
  const { code, output } = await spawnIn(folder, name, args, false)
  return code === 0 ? undefined : { why: `${name} ${args[0]} fails: ${lastLines(output)}` }
}

/** Makes the project's own installation what its lock file says. */
export async function installProject(project: Project): Promise<Failure | undefined> {
  return run(project, programs[project.graph.manager].install)
}

function lastLines(output: string): string {
  return output.slice(-shownOutput).trim()
}

function spawnIn(
  cwd: string,
  program: string,
  args: readonly string[],
  shell: boolean,
): Promise<{ code: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>()
  // CI services make yarn and bun refuse to write lock files.
  const env = { ...process.env, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', npm_config_audit: 'false' }
  const child = spawn(program, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', piece => said.push(String(piece)))
  child.once('error', error => resolve({ code: 1, output: `${program} cannot be run: ${error.message}` }))
  child.once('close', code => resolve({ code: code ?? 1, output: said.join('') }))
  return promise
}

function readFiles({ folder, lockFile, manifests }: Project): Files {
  const names = [
    ...manifests.map(each => join(each.folder, 'package.json')),
    'pnpm-workspace.yaml',
    lockFile.slice(folder.length + 1),
  ]
  return new Map(names.map(name => [name, readIfThere(join(folder, name))]))
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function writeFiles(folder: string, files: Files): void {
  for (const [name, text] of files) {
    if (text === undefined) rmSync(join(folder, name), { force: true })
    else writeFileSync(join(folder, name), text)
  }
}
