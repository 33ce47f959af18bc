// SPDX-License-Identifier: Apache-2.0
/** Lock files that name the addresses of the registry that stood here before. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { commands, openDesk } from './client.ts'
import { passes } from './expect.ts'
import { readText, startRegistry } from './registry.ts'

const registry = await startRegistry({ HOLDFAST_MFA: 'optional' })
after(() => registry.stop())
let token: string

before(async () => {
  token = await registry.token('mover')
  await registry.publish({ name: 'plain', version: '1.0.0' }, token)
  await registry.publish({ name: '@acme/ui', version: '1.0.0', access: 'restricted' }, token)
})

const dependencies = { plain: '1.0.0', '@acme/ui': '1.0.0' }
const nexus = '/repository/npm-all'
const artifactory = '/artifactory/api/npm/npm-virtual'
const places = [
  { what: 'Nexus, its host name leading here', at: nexus, scoped: '/@acme/ui/-/ui-1.0.0.tgz' },
  {
    what: 'Artifactory, its host name leading here',
    at: artifactory,
    scoped: '/@acme/ui/-/@acme/ui-1.0.0.tgz',
  },
]

describe('npm ci goes on with a lock file of', { concurrency: 1 }, () => {
  for (const { what, at, scoped } of places) {
    test(what, () => npmCi(registry.url, at, scoped, `${registry.url}${at}/`))
  }

  test('a host that npm replaces, keeping the path', async () => {
    const more = { 'replace-registry-host': 'nexus.example' }
    await npmCi('https://nexus.example', nexus, '/@acme/ui/-/ui-1.0.0.tgz', registry.npm, more)
  })
})

async function npmCi(host: string, at: string, scoped: string, setting: string, more = {}): Promise<void> {
  const desk = await openDesk('npm', setting, token)
  after(() => desk.remove())
  await desk.configure(token, more)
  const integrity = async (name: string) =>
    (await (await registry.call(`/${name.replace('/', '%2f')}/1.0.0`, { token })).json()).dist.integrity
  const entry = async (name: string, path: string) => ({
    version: '1.0.0',
    resolved: `${host}${at}${path}`,
    integrity: await integrity(name),
  })
  const lock = {
    name: 'app',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'app', version: '1.0.0', dependencies },
      'node_modules/plain': await entry('plain', '/plain/-/plain-1.0.0.tgz'),
      'node_modules/@acme/ui': await entry('@acme/ui', scoped),
    },
  }
  const app = { name: 'app', version: '1.0.0', dependencies }
  await desk.folder('app', app, { 'package-lock.json': JSON.stringify(lock) })
  const fetches = async () => (await registry.requests(at)).filter(each => each.path.endsWith('.tgz'))
  const before = (await fetches()).length
  passes(await desk.run('app', commands.npm.frozen))
  for (const name of Object.keys(dependencies))
    assert.equal((await desk.installed('app', name))?.['version'], '1.0.0')
  assert.deepEqual(
    (await fetches()).slice(before).map(each => each.status),
    [200, 200],
  )
}

test('yarn 1 goes on with a lock file of the old address', async () => {
  const desk = await openDesk('yarn', registry.npm, token)
  after(() => desk.remove())
  await desk.folder('app', { name: 'app', version: '1.0.0', dependencies: { plain: '1.0.0' } })
  passes(await desk.run('app', commands.yarn.install))
  const lock = await readText(desk.home, 'app', 'yarn.lock')
  await desk.folder(
    'moved',
    { name: 'app', version: '1.0.0', dependencies: { plain: '1.0.0' } },
    {
      'yarn.lock': lock.replace(registry.npm, `${registry.url}${nexus}/`),
    },
  )
  await desk.forget('app')
  passes(await desk.run('moved', commands.yarn.frozen))
  assert.equal((await desk.installed('moved', 'plain'))?.['version'], '1.0.0')
})

describe('the old address', () => {
  const ask = (path: string, secret?: string) =>
    fetch(`${registry.url}${path}`, {
      redirect: 'manual',
      headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    })

  test('answers as the present one does, with the same gate and the same rights', async () => {
    for (const at of [nexus, artifactory]) {
      const document = await (await ask(`${at}/plain`)).json()
      assert.equal(document.versions['1.0.0'].dist.tarball, `${registry.npm}plain/-/plain-1.0.0.tgz`)
      assert.equal((await ask(`${at}/@acme%2fui`, token)).status, 200)
      assert.equal((await ask(`${at}/@acme%2fui`)).status, 404)
      assert.equal((await ask(`${at}/@acme/ui/-/ui-1.0.0.tgz`)).status, 404)
      assert.equal((await (await ask(`${at}/-/whoami`, token)).json()).username, 'mover')
    }
    await registry.publish({ name: 'bad', version: '1.0.0' }, token)
    await registry.operate('quarantine', 'bad@1.0.0', '--reason', 'malware')
    await registry.until('/bad/-/bad-1.0.0.tgz', answer => answer.status === 403)
    assert.equal((await ask(`${nexus}/bad/-/bad-1.0.0.tgz`)).status, 403)
  })

  test('hides no package that is called like it', async () => {
    for (const name of ['repository', 'artifactory']) {
      await registry.publish({ name, version: '1.0.0' }, token)
      for (const path of ['', '/1.0.0', '/latest', `/-/${name}-1.0.0.tgz`])
        assert.equal((await registry.call(`/${name}${path}`)).status, 200, `${name}${path}`)
    }
  })

  test('is nothing without the name of a repository', async () => {
    for (const path of [
      '/repository/',
      '/repository/npm-all',
      '/repository//plain',
      '/repository/-/plain',
      '/artifactory/api/npm/',
    ])
      assert.equal((await ask(path)).status, 404, path)
  })
})
