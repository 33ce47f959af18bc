// SPDX-License-Identifier: Apache-2.0
/** Every snippet of *Use this registry*, taken out of the page and used by the client it is for. */
import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { commands, type Desk, isHere, type Kind, openDesk } from '../client/client.ts'
import { passes } from '../client/expect.ts'
import { type Registry, startRegistry } from '../client/registry.ts'

/** Nothing answers there: what a client gets, it gets by the snippet. */
const nowhere = 'http://127.0.0.1:9/'
const hidden = '@acme/hidden'
const plain = 'plain-hidden'

let registry: Registry
let token: string

before(async () => {
  registry = await startRegistry()
  await registry.operate('host', '@acme/*')
  token = await registry.token('alice')
  for (const name of [hidden, plain])
    await registry.publish({ name, version: '1.0.0', access: 'restricted' }, token)
})
after(() => registry?.stop())

/** The files that the page shows for each client, and where the token comes from. */
const cases: readonly { kind: Kind; id: string }[] = [
  { kind: 'npm', id: 'npmrc' },
  { kind: 'pnpm', id: 'pnpm' },
  { kind: 'yarn', id: 'yarn1' },
  { kind: 'berry', id: 'yarnrc' },
  { kind: 'bun', id: 'bunfig' },
]

describe('a snippet lets its client install a private package', () => {
  for (const { kind, id } of cases) {
    const skip = isHere(kind) ? false : `no build of ${kind} for this platform`
    test(`${kind}, packages of the hosted scope`, { skip }, () => installs(kind, id, '/use', hidden))
    test(`${kind}, all packages`, { skip }, () => installs(kind, id, '/use?for=all', plain))
  }
})

async function installs(kind: Kind, id: string, page: string, name: string): Promise<void> {
  const desk = await openDesk(kind, nowhere)
  try {
    if (kind === 'berry') await rm(join(desk.home, '.yarnrc.yml'))
    const manifest = { name: 'app', version: '1.0.0', private: true, dependencies: { [name]: '^1.0.0' } }
    await desk.folder('app', manifest, await filesOf(page, id))
    const env = { HOLDFAST_TOKEN: token, pnpm_config_minimum_release_age: '1440' }
    passes(await desk.run('app', commands[kind].install, { env }))
    assert.match(await readFile(join(desk.home, 'app', commands[kind].lockFile), 'utf8'), new RegExp(name))
  } finally {
    await desk.remove()
  }
}

test('the publish snippet sends a package here and nowhere else', async () => {
  const desk = await openDesk('npm', nowhere)
  try {
    const setting = JSON.parse(`{${(await snippetsOf('/use')).get('publish-config')?.text}}`) as Record<
      string,
      unknown
    >
    await desk.folder(
      'lib',
      { name: '@acme/sent', version: '1.0.0', license: 'MIT', ...setting },
      await filesOf('/use', 'npmrc'),
    )
    passes(await desk.run('lib', ['publish'], { env: { HOLDFAST_TOKEN: token } }))
    assert.equal((await registry.call('/@acme%2fsent', { token })).status, 200)
  } finally {
    await desk.remove()
  }
})

describe('the steps of a CI snippet install with the committed .npmrc and the secret', () => {
  let desk: Desk
  before(async () => {
    desk = await openDesk('npm', nowhere)
    const manifest = {
      name: 'app',
      version: '1.0.0',
      dependencies: { [hidden]: '^1.0.0' },
      scripts: { test: 'node -e 0' },
    }
    await desk.folder('app', manifest, await filesOf('/use', 'npmrc'))
    passes(await desk.run('app', ['install'], { env: { HOLDFAST_TOKEN: token } }))
  })
  after(() => desk?.remove())

  test('GitHub Actions', async () => {
    const workflow = parse((await snippetsOf('/use')).get('github')?.text ?? '') as Workflow
    const steps = workflow.jobs['test']?.steps.filter(step => step.run !== undefined) ?? []
    assert.deepEqual(
      steps.map(step => step.run),
      ['npm ci', 'npm test'],
    )
    for (const step of steps) await runs(step.run ?? '', withSecrets(step.env ?? {}))
  })

  test('GitLab CI', async () => {
    const pipeline = parse((await snippetsOf('/use')).get('gitlab')?.text ?? '') as Pipeline
    // Variables of a GitLab project reach every command of its jobs.
    for (const line of pipeline['test']?.script ?? []) await runs(line, { HOLDFAST_TOKEN: token })
  })

  async function runs(line: string, env: Readonly<Record<string, string>>): Promise<void> {
    const [program, ...args] = line.split(' ')
    assert.equal(program, 'npm')
    passes(await desk.run('app', args, { env }))
  }
})

interface Workflow {
  readonly jobs: Readonly<
    Record<
      string,
      { readonly steps: readonly { readonly run?: string; readonly env?: Record<string, string> }[] }
    >
  >
}

type Pipeline = Readonly<Record<string, { readonly script?: readonly string[] }>>

function withSecrets(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [key, value.replace('${{ secrets.HOLDFAST_TOKEN }}', token)]),
  )
}

test('the snippet for Renovate is JSON that names this registry and the secret', async () => {
  const rules = JSON.parse((await snippetsOf('/use')).get('renovate')?.text ?? '') as { hostRules: unknown[] }
  assert.deepEqual(rules.hostRules, [
    { hostType: 'npm', matchHost: registry.npm, token: '{{ secrets.HOLDFAST_TOKEN }}' },
  ])
})

test('the snippet for Dependabot is YAML in which every update knows this registry', async () => {
  const config = parse((await snippetsOf('/use')).get('dependabot')?.text ?? '') as {
    version: number
    registries: Record<string, { type: string; url: string; token: string }>
    updates: { registries: string[] }[]
  }
  assert.equal(config.version, 2)
  assert.deepEqual(config.registries['holdfast'], {
    type: 'npm-registry',
    url: registry.npm,
    token: '${{ secrets.HOLDFAST_TOKEN }}',
  })
  assert.ok(config.updates.every(update => update.registries.includes('holdfast')))
})

test('no snippet holds a secret or names another registry', async () => {
  for (const page of ['/use', '/use?for=all']) {
    for (const { text } of (await snippetsOf(page)).values()) {
      assert.doesNotMatch(text, /holdfast_[a-z0-9]{8}_/)
      for (const [url] of text.matchAll(/https?:\/\/[^\s"']+/g)) assert.ok(url.startsWith(registry.url), url)
    }
  }
})

/** The files that one client needs: its own snippet, and those whose id begins with its. */
async function filesOf(page: string, id: string): Promise<Record<string, string>> {
  const found = [...(await snippetsOf(page))].filter(([each]) => each === id || each.startsWith(`${id}-`))
  assert.ok(found.length > 0, `no snippet ${id}`)
  // The project lies in a folder of the home.
  return Object.fromEntries(found.map(([, { file, text }]) => [file.replace(/^~/, '..'), text]))
}

/** The snippets of the page as a reader copies them. */
async function snippetsOf(page: string): Promise<Map<string, { file: string; text: string }>> {
  const body = await (await fetch(registry.url + page)).text()
  const form =
    /<div class="snippet" data-copy id="([^"]+)">(?:<div class="label">([^<]*)<\/div>)?<pre[^>]*><code>([^<]*)<\/code>/g
  return new Map(
    [...body.matchAll(form)].map(([, id = '', file = '', text = '']) => [id, { file, text: decode(text) }]),
  )
}

function decode(text: string): string {
  const signs: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => signs[name] ?? '')
}
