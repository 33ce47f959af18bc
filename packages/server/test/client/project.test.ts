// SPDX-License-Identifier: Apache-2.0
/** A real project with hundreds of dependencies, imported, then installed by every client through a second instance, and again without the first. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands, type Desk, isHere, type Kind, openDesk } from './client.ts'
import { passes } from './expect.ts'
import { readText, startRegistry } from './registry.ts'
import { fetchTarballs, readLock } from './upstream.ts'

const project = fileURLToPath(new URL('../fixture/project/', import.meta.url))
const manifest = JSON.parse(await readText(project, 'package.json')) as Record<string, Record<string, string>>
/** Enough of it to see that what came in is there: five installs of hundreds of packages are one round of them. */
const part = { name: 'part', version: '1.0.0', private: true, dependencies: manifest['dependencies'] ?? {} }
const lock = await readText(project, 'package-lock.json')
const kinds: readonly Kind[] = ['npm', 'pnpm', 'yarn', 'berry', 'bun']

const locked = await readLock(join(project, 'package-lock.json'))
const fetched = await fetchTarballs(locked).catch(error => error as Error)

if (fetched instanceof Error) {
  const why = `the tarballs of the project could not be fetched from npm's registry: ${fetched.cause ?? fetched.message}`
  test('a real project is installed by every client', { skip: why }, () => {})
} else await installEverywhere(fetched)

async function installEverywhere(tarballs: string): Promise<void> {
  const registry = await startRegistry()
  after(() => registry.stop())
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-project-'))
  after(() => rm(folder, { recursive: true, force: true }))
  // The cache may hold more than this project needs.
  for (const { name, version } of locked) {
    const file = `${name.replace('/', '+')}-${version}.tgz`
    await symlink(join(tarballs, file), join(folder, basename(file)))
  }

  test('every tarball that the lock file names is let in', async () => {
    const report = JSON.parse(await registry.holdfast('import', folder, '--host-names', '--json'))
    assert.deepEqual(report.refused, [])
    assert.equal(report.imported, locked.length)
  })

  describe('through an instance that stands before it', async () => {
    const settings = { HOLDFAST_ORIGINS: JSON.stringify({ up: registry.npm }), HOLDFAST_ROUTES: '{"*":"up"}' }
    const firewall = await startRegistry({ ...settings, HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1' })
    after(() => firewall.stop())
    eachClient('a real project is installed', desk => install(desk, firewall.npm))
    test('what it gives out is signed by it', {
      skip: isHere('pnpm') ? false : 'there is no pnpm here',
    }, async () => {
      const desk = await openDesk('pnpm', firewall.npm)
      try {
        await desk.folder('project', part)
        passes(await desk.run('project', commands.pnpm.install))
        passes(await desk.run('project', ['audit', 'signatures']))
      } finally {
        await desk.remove()
      }
    })
    test('its upstream goes away', () => registry.stop())
    eachClient('a part of it is installed from what came in', desk => installPart(desk))

    function eachClient(what: string, act: (desk: Desk) => Promise<void>): void {
      describe(what, { concurrency: 2 }, () => {
        for (const kind of kinds) {
          const skip = isHere(kind) ? false : `there is no build of ${kind} for this platform`
          test(`by ${kind}`, { skip }, async () => {
            const desk = await openDesk(kind, firewall.npm)
            try {
              await act(desk)
            } finally {
              await desk.remove()
            }
          })
        }
      })
    }
  })

  async function installPart(desk: Desk): Promise<void> {
    await desk.folder('project', part)
    passes(await desk.run('project', commands[desk.kind].install))
    for (const [name, version] of Object.entries(part.dependencies))
      assert.equal((await desk.installed('project', name))?.['version'], version)
  }

  async function install(desk: Desk, npm: string): Promise<void> {
    const { kind } = desk
    await desk.folder('project', manifest, kind === 'npm' ? { 'package-lock.json': lock } : {})
    const { install, frozen, lockFile } = commands[kind]
    passes(await desk.run('project', kind === 'npm' ? frozen : install))
    for (const [name, version] of Object.entries({
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
    }))
      assert.equal((await desk.installed('project', name))?.['version'], version)
    if (kind === 'npm') return
    const written = await readText(desk.home, 'project', lockFile)
    for (const url of written.matchAll(/https?:\/\/[^\s"']+\.tgz/g)) assert.ok(url[0].startsWith(npm), url[0])
  }
}
