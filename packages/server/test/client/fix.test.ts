// SPDX-License-Identifier: Apache-2.0
/** A vulnerable project, mended by `holdfast fix` through each real client, whose own audit agrees and whose tests pass. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readLockGraph } from '@holdfast/core'
import { commands, type Desk, isHere, type Kind, openDesk } from './client.ts'
import { passes } from './expect.ts'
import { type Registry, readText, startRegistry } from './registry.ts'

const kinds: readonly Kind[] = ['npm', 'pnpm', 'yarn', 'berry', 'bun']
const registry: Registry = await startRegistry({ HOLDFAST_MFA: 'optional' })
after(() => registry.stop())
let token: string

/** Name, version and what it needs; those after the mark come when the project is installed already. */
type Published = readonly (readonly [
  name: string,
  version: string,
  dependencies?: Readonly<Record<string, string>>,
])[]
const early = (tag: string): Published => [
  [`deep-${tag}`, '1.0.0'],
  [`mid-${tag}`, '1.0.0', { [`deep-${tag}`]: '^1.0.0' }],
  [`lib-${tag}`, '1.0.0'],
  [`near-${tag}`, '1.0.0'],
  [`pinned-${tag}`, '1.0.0'],
  [`stuck-${tag}`, '1.0.0', { [`pinned-${tag}`]: '1.0.0' }],
  [`leaf-${tag}`, '1.0.0'],
  [`old-${tag}`, '1.0.0', { [`leaf-${tag}`]: '1.0.0' }],
]
const late = (tag: string): Published => [
  [`deep-${tag}`, '1.0.1'],
  [`deep-${tag}`, '1.5.0'],
  [`lib-${tag}`, '1.9.0'],
  [`near-${tag}`, '1.0.1'],
  [`near-${tag}`, '1.5.0'],
  [`lib-${tag}`, '2.0.0'],
  [`lib-${tag}`, '2.1.0'],
  [`pinned-${tag}`, '1.1.0'],
  [`pinned-${tag}`, '1.2.0'],
  [`leaf-${tag}`, '1.1.0'],
  [`old-${tag}`, '1.0.1', { [`leaf-${tag}`]: '1.1.0' }],
  [`old-${tag}`, '1.0.2', { [`leaf-${tag}`]: '1.1.0' }],
]
const flaws = (tag: string) => [
  { name: `deep-${tag}`, fixed: '1.0.1' },
  { name: `lib-${tag}`, fixed: '2.0.0' },
  { name: `near-${tag}`, fixed: '1.0.1' },
  { name: `pinned-${tag}`, fixed: '1.1.0' },
  { name: `leaf-${tag}`, fixed: '1.1.0' },
]
const wanted = {
  deep: '1.0.1',
  mid: '1.0.0',
  lib: '2.0.0',
  near: '1.0.1',
  pinned: '1.1.0',
  stuck: '1.0.0',
  leaf: '1.1.0',
  old: '1.0.1',
}

before(async () => {
  token = await registry.token('maker')
})

async function publishAll(published: Published): Promise<void> {
  for (const [name, version, dependencies = {}] of published)
    await registry.publish({ name, version, manifest: { dependencies } }, token)
}

async function tell(known: readonly { readonly name: string; readonly fixed: string }[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-osv-'))
  const records = known.map(({ name, fixed }) => ({
    id: `x_${name}`,
    summary: `trouble in ${name}`,
    modified: '2026-01-01T00:00:00Z',
    database_specific: { severity: 'HIGH' },
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
  }))
  await writeFile(join(folder, 'osv.json'), JSON.stringify(records))
  await registry.operate('advisories', folder)
  await rm(folder, { recursive: true })
}

/** A project that was installed before anything newer was there. */
async function openProject(desk: Desk, tag: string): Promise<string> {
  await publishAll(early(tag))
  const manifest = {
    name: 'app',
    version: '1.0.0',
    private: true,
    scripts: { test: 'node test.js' },
    dependencies: {
      [`mid-${tag}`]: '^1.0.0',
      [`near-${tag}`]: '^1.0.0',
      [`old-${tag}`]: '^1.0.0',
      [`stuck-${tag}`]: '^1.0.0',
    },
    devDependencies: { [`lib-${tag}`]: '~1.0.0' },
  }
  // Indented as nobody's tool would, to see that it stays.
  const text = `${JSON.stringify(manifest, null, '\t')}\n`
  await desk.folder('app', manifest, { 'package.json': text, 'test.js': `require('mid-${tag}')\n` })
  passes(await desk.run('app', commands[desk.kind].install))
  await publishAll(late(tag))
  await tell(flaws(tag))
  return text
}

async function lockedVersions({ home, kind }: Desk, tag: string): Promise<Record<string, string>> {
  const graph = readLockGraph(await readText(home, 'app', commands[kind].lockFile))
  assert.ok(graph)
  return Object.fromEntries(
    [...graph.nodes.values()]
      .filter(({ name }) => name.endsWith(`-${tag}`))
      .map(({ name, version }) => [name.slice(0, -tag.length - 1), version]),
  )
}

describe('a vulnerable project is mended', { concurrency: 2 }, () => {
  for (const kind of kinds) {
    const skip = isHere(kind) ? false : `there is no build of ${kind} for this platform`
    test(`by ${kind}`, { skip }, () => mend(kind))
    test(`by ${kind}, in workspaces`, { skip }, () => mendWorkspaces(kind))
    test(`by ${kind}, one version of a package that is there twice`, { skip }, () => mendOneOfTwo(kind))
  }
})

async function mend(kind: Kind): Promise<void> {
  const desk = await openDesk(kind, registry.npm, token)
  try {
    const tag = kind
    const text = await openProject(desk, tag)
    const lock = () => readText(desk.home, 'app', commands[kind].lockFile)
    const locked = await lock()
    const plan = await desk.holdfast('app', ['fix', '--dry-run'])
    assert.equal(plan.code, 1, plan.text)
    assert.match(plan.stdout, new RegExp(`^deep-${tag} 1\\.0\\.0 -> 1\\.0\\.1 +within what is allowed$`, 'm'))
    assert.match(
      plan.stdout,
      new RegExp(
        `^lib-${tag} 1\\.0\\.0 -> 2\\.0\\.0 +package\\.json: lib-${tag} ~2\\.0\\.0 \\(a major upgrade`,
        'm',
      ),
    )
    assert.match(plan.stdout, new RegExp(`^old-${tag} 1\\.0\\.0 -> 1\\.0\\.1 +within`, 'm'))
    assert.match(plan.stdout, new RegExp(`^pinned-${tag} 1\\.0\\.0 -> 1\\.1\\.0 +by an override`, 'm'))
    assert.equal(await readText(desk.home, 'app', 'package.json'), text)
    assert.equal(await lock(), locked, 'a dry run changes nothing')

    const failing = await desk.holdfast('app', ['fix', '--yes', '--test', 'exit 3'])
    assert.equal(failing.code, 1, failing.text)
    assert.match(failing.stdout, /Taken back: [\s\S]*exit 3 fails/)
    assert.equal(await readText(desk.home, 'app', 'package.json'), text)
    assert.equal(await lock(), locked, 'what fails is taken back byte for byte')

    const mended = await desk.holdfast('app', ['fix', '--yes'])
    assert.equal(mended.code, 0, mended.text)
    assert.deepEqual(await lockedVersions(desk, tag), wanted, mended.text)
    const written = await readText(desk.home, 'app', 'package.json')
    assert.ok(written.startsWith(text.slice(0, text.indexOf(`"lib-${tag}"`))), written)
    assert.match(written, new RegExp(`\\n\\t\\t"lib-${tag}": "~2\\.0\\.0"\\n`))
    assert.ok(written.endsWith('}\n'))
    assert.equal((await desk.holdfast('app', ['audit'])).code, 0)
    await desk.forget('app')
    passes(await desk.run('app', commands[kind].frozen))
    assert.equal((await desk.installed('app', `mid-${tag}`))?.['version'], '1.0.0')
    passes(await desk.run('app', ['run', 'test']))
  } finally {
    await desk.remove()
  }
}

/** A package of the project needs another one, and each has flaws of its own that the root knows nothing of. */
async function mendWorkspaces(kind: Kind): Promise<void> {
  const desk = await openDesk(kind, registry.npm, token)
  const tag = `ws-${kind}`
  const [deep, mid, lib, near] = ['deep', 'mid', 'lib', 'near'].map(word => `${word}-${tag}`) as [
    string,
    string,
    string,
    string,
  ]
  try {
    await publishAll([
      [deep, '1.0.0'],
      [mid, '1.0.0', { [deep]: '1.0.0' }],
      [lib, '1.0.0'],
      [near, '1.0.0'],
    ])
    const member = (name: string, dependencies: object) =>
      `${JSON.stringify({ name, version: '1.0.0', private: true, dependencies }, null, 2)}\n`
    const own = kind === 'pnpm' || kind === 'berry' ? 'workspace:*' : '1.0.0'
    const files = {
      'packages/ui/package.json': member(`ui-${tag}`, { [mid]: '^1.0.0', [near]: '^1.0.0' }),
      'packages/web/package.json': member(`web-${tag}`, { [`ui-${tag}`]: own, [lib]: '~1.0.0' }),
      ...(kind === 'pnpm' ? { 'pnpm-workspace.yaml': "packages:\n  - 'packages/*'\n" } : {}),
    }
    const root = { name: 'app', version: '1.0.0', private: true, workspaces: ['packages/*'] }
    await desk.folder('app', root, files)
    passes(await desk.run('app', commands[kind].install))
    await publishAll([
      [deep, '1.1.0'],
      [lib, '2.0.0'],
      [near, '1.0.1'],
      [near, '1.5.0'],
    ])
    await tell([
      { name: deep, fixed: '1.1.0' },
      { name: lib, fixed: '2.0.0' },
      { name: near, fixed: '1.0.1' },
    ])
    const mended = await desk.holdfast('app', ['fix', '--yes'])
    assert.equal(mended.code, 0, mended.text)
    assert.deepEqual(
      await lockedVersions(desk, tag),
      { deep: '1.1.0', mid: '1.0.0', lib: '2.0.0', near: '1.0.1' },
      mended.text,
    )
    const ui = 'packages/ui/package.json'
    assert.equal(await readText(desk.home, 'app', ui), files[ui])
    assert.match(
      await readText(desk.home, 'app', 'packages/web/package.json'),
      new RegExp(`"${lib}": "~2\\.0\\.0"`),
    )
    assert.equal((await desk.holdfast('app', ['audit'])).code, 0)
    await desk.forget('app')
    passes(await desk.run('app', commands[kind].frozen))
  } finally {
    await desk.remove()
  }
}

/** Only one of two versions is flawed, and its asker allows no other: the other one is to stay where it is. */
async function mendOneOfTwo(kind: Kind): Promise<void> {
  const desk = await openDesk(kind, registry.npm, token)
  const [twice, strict, loose, other] = ['twice', 'strict', 'loose', 'other'].map(
    word => `${word}-${kind}`,
  ) as [string, string, string, string]
  try {
    await publishAll([
      [twice, '1.0.0'],
      [twice, '2.0.0'],
      [other, '1.0.0'],
      [strict, '1.0.0', { [twice]: '1.0.0' }],
      [loose, '1.0.0', { [twice]: '^2.0.0' }],
    ])
    const dependencies = { [loose]: '^1.0.0', [other]: '^1.0.0', [strict]: '^1.0.0' }
    await desk.folder('app', { name: 'app', version: '1.0.0', private: true, dependencies })
    passes(await desk.run('app', commands[kind].install))
    await publishAll([
      [twice, '1.0.1'],
      [twice, '2.5.0'],
      [other, '1.0.1'],
    ])
    await tell([
      { name: twice, fixed: '1.0.1' },
      { name: other, fixed: '1.0.1' },
    ])
    const mended = await desk.holdfast('app', ['fix', '--yes'])
    const graph = readLockGraph(await readText(desk.home, 'app', commands[kind].lockFile))
    const found = [...(graph?.nodes.values() ?? [])].map(({ name, version }) => `${name}@${version}`)
    // bun's overrides know no versions: it leaves what it cannot part, says so, and mends the rest.
    const isAble = kind !== 'bun'
    assert.equal(mended.code, isAble ? 0 : 1, mended.text)
    if (!isAble) assert.match(mended.stdout, /bun cannot move one version/)
    assert.deepEqual(
      found.filter(each => each.startsWith(twice) || each.startsWith(other)).sort(),
      [`${other}@1.0.1`, `${twice}@${isAble ? '1.0.1' : '1.0.0'}`, `${twice}@2.0.0`],
      mended.text,
    )
  } finally {
    await desk.remove()
  }
}
