// SPDX-License-Identifier: Apache-2.0
/** Which versions `holdfast fix` chooses, by its plan. What clients then do is tried in the server's tests with real ones. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { openCommandLine } from '../../test/command-line.ts'

const dayMs = 24 * 60 * 60_000
const home = await mkdtemp(join(tmpdir(), 'holdfast-fix-'))
after(() => rm(home, { recursive: true }))

const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString()
/** 1.0.2 is not there: the registry's policy hides it. */
const versions = { '1.0.0': 900, '1.0.1': 800, '1.0.3': 2, '1.1.0': 400, '2.0.0': 100, '2.0.1-beta.1': 90 }
const flaws = [
  {
    id: 1,
    url: 'https://a.example/GHSA-aaaa',
    title: 'one',
    severity: 'high',
    vulnerable_versions: '<1.0.2',
  },
  {
    id: 2,
    url: 'https://a.example/GHSA-bbbb',
    title: 'two',
    severity: 'low',
    vulnerable_versions: '>=1.0.3 <2.0.0',
  },
]

/** Who needs what, by version: only `top` 1.1.0 lets `mid` go where `leaf` is mended, and only `door` 2.0.0 lets `wall`. */
const chain: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  leaf: { '1.0.0': {}, '2.0.0': {} },
  mid: { '1.0.0': { leaf: '^1.0.0' }, '2.0.0': { leaf: '^2.0.0' } },
  top: { '1.0.0': { mid: '^1.0.0' }, '1.1.0': { mid: '^2.0.0' } },
  wall: { '1.0.0': { leaf: '^1.0.0' }, '2.0.0': { leaf: '^2.0.0' } },
  door: { '1.0.0': { wall: '^1.0.0' }, '2.0.0': { wall: '^2.0.0' } },
}
const flawsOf = { lib: flaws, leaf: [{ ...flaws[0], vulnerable_versions: '<2.0.0' }] }

function documentOf(name: string) {
  const told = Object.entries(chain[name] ?? {})
  return {
    name,
    versions: Object.fromEntries(
      told.map(([version, dependencies]) => [version, { name, version, dependencies }]),
    ),
    time: Object.fromEntries(told.map(([version]) => [version, daysAgo(500)])),
  }
}

const server = createServer((request, response) => {
  const asked = request.url?.replace('/npm/', '') ?? ''
  const document = {
    name: 'lib',
    versions: Object.fromEntries(Object.keys(versions).map(version => [version, { name: 'lib', version }])),
    time: Object.fromEntries(Object.entries(versions).map(([version, days]) => [version, daysAgo(days)])),
  }
  const answer =
    request.url === '/npm/lib'
      ? document
      : request.method === 'POST'
        ? flawsOf
        : asked in chain
          ? documentOf(asked)
          : undefined
  response
    .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    .end(JSON.stringify(answer))
})
await once(server.listen(0, '127.0.0.1'), 'listening')
after(() => server.close())
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`

const commandLine = openCommandLine(home)
const fix = (...words: string[]) => commandLine({}, 'fix', ...words)

async function write(range: string, settings = ''): Promise<void> {
  const manifest = { name: 'app', dependencies: { lib: range } }
  const packages = { '': manifest, 'node_modules/lib': { version: '1.0.0' } }
  await writeFile(join(home, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  await writeFile(join(home, '.npmrc'), `registry=${url}\n${settings}`)
}
beforeEach(() => write('^1.0.0'))

async function chosen(...args: string[]): Promise<unknown> {
  const { out, err } = await fix('--dry-run', '--json', ...args)
  assert.equal(err, '')
  const { plan, unmended } = JSON.parse(out)
  return plan[0]?.upgrades[0]?.to ?? unmended[0]?.why
}

test('the smallest version that is free of everything at the level is chosen, and no prerelease', async () => {
  assert.equal(await chosen('--level', 'high'), '1.0.3')
  assert.equal(await chosen(), '2.0.0', 'what has a flaw of its own is no fix')
})

test('a version younger than the project waits for is not chosen', async () => {
  await write('^1.0.0', 'min-release-age=30\n')
  assert.equal(await chosen('--level', 'high'), '1.1.0')
  await write('^1.0.0', 'min-release-age=500\n')
  assert.match(String(await chosen('--level', 'high')), /no version above it/)
})

test('nothing is written unless somebody says so', async () => {
  const before = await readFile(join(home, 'package.json'), 'utf8')
  const { code, out, err } = await fix('--level', 'high')
  assert.equal(code, 2)
  assert.match(out, /^lib 1\.0\.0 -> 1\.0\.3 +within what is allowed$/m)
  assert.match(err, /--yes/)
  assert.equal(await readFile(join(home, 'package.json'), 'utf8'), before)
})

/** A project of a chain of packages, the first of which it needs. */
async function writeChain(...names: readonly string[]): Promise<void> {
  const [first = ''] = names
  const manifest = { name: 'app', dependencies: { [first]: '^1.0.0' } }
  const entries = names.map(name => [
    `node_modules/${name}`,
    { version: '1.0.0', dependencies: chain[name]?.['1.0.0'] },
  ])
  await writeFile(join(home, 'package.json'), JSON.stringify(manifest))
  const packages = { '': manifest, ...Object.fromEntries(entries) }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
}

test('parents of parents are lifted where only that lets the mended version in', async () => {
  await writeChain('top', 'mid', 'leaf')
  const { out } = await fix('--dry-run', '--json')
  const steps = JSON.parse(out).plan[0].upgrades.map(
    ({ name, to, override }: { name: string; to: string; override: boolean }) => [name, to, override],
  )
  assert.deepEqual(steps, [
    ['top', '1.1.0', false],
    ['mid', '2.0.0', false],
    ['leaf', '2.0.0', false],
  ])
})

test('where only a major upgrade would do without an override, the plan says which', async () => {
  await writeChain('door', 'wall', 'leaf')
  const { out } = await fix('--dry-run')
  assert.match(
    out,
    /leaf 1\.0\.0 -> 2\.0\.0 +by an override.*; without one by the major upgrade door 1\.0\.0 -> 2\.0\.0/,
  )
})

test('a major upgrade of what the project itself names is called one', async () => {
  await write('^1.0.0')
  const { out } = await fix('--dry-run')
  assert.match(out, /lib 1\.0\.0 -> 2\.0\.0 +package\.json: lib \^2\.0\.0 \(a major upgrade/)
})
