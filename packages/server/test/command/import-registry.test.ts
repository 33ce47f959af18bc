// SPDX-License-Identifier: Apache-2.0
/** Packages come over from another registry by npm's protocol: honest ones, Holdfast itself, and ones that lie. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { parseNamePattern, parsePackageName, parseVersion } from '@holdfast/core'
import { ensureAccount, hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument, put, startLive } from '../live.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { freshPath, holdfast, withPorts } from './command-line.ts'

const widget = parsePackageName('@acme/widget')

async function startOld(t: TestContext): Promise<UpstreamRegistry> {
  const old = await startUpstream()
  t.after(() => old.close())
  return old
}

/** Runs an import and reads its report. */
async function run(data: string, ...words: string[]) {
  const ended = await holdfast('import', ...words, '--data', data, '--json')
  return { ...ended, report: ended.out === '' ? undefined : JSON.parse(ended.out) }
}

const tarballsAsked = (old: UpstreamRegistry) => old.asked.filter(({ line }) => line.endsWith('.tgz')).length

test('times, tags, deprecations and maintainers come over; a second run asks for no bytes', async t => {
  const old = await startOld(t)
  const day = Date.UTC(2020, 0, 2)
  old.publish('@acme/widget', '1.0.0', { publishedAt: day })
  old.publish('@acme/widget', '1.1.0', { publishedAt: day + 1000 })
  old.publish('@acme/widget', '2.0.0-beta.1', { publishedAt: day + 2000 })
  const document = old.documents.get('@acme/widget')
  document['dist-tags'] = { latest: '1.1.0', next: '2.0.0-beta.1' }
  document.versions['1.0.0'].deprecated = 'use 1.1.0'
  document.maintainers = [{ name: 'ada', email: 'ada@example.com' }, { name: 'stranger' }]
  document.readme = '# Widget'
  const data = freshPath()
  const ada = await withPorts(data, async ({ ports }) => {
    await hostNames(ports, operator, [parseNamePattern('@acme/*')])
    return (await ensureAccount(ports, operator, 'ada')).id
  })
  const first = await run(data, '--from', old.url, '@acme/widget')
  assert.equal(first.code, 0, first.err + first.out)
  assert.equal(first.report.imported, 3)
  await withPorts(data, async ({ ports: { store } }) => {
    assert.deepEqual(Object.fromEntries(await store.catalog.listTags(widget)), {
      latest: '1.1.0',
      next: '2.0.0-beta.1',
    })
    const found = await store.catalog.findVersion(widget, parseVersion('1.0.0'))
    assert.deepEqual([found?.publishedAt, found?.deprecated], [day, 'use 1.1.0'])
    assert.equal(await store.identity.roleOn(ada, widget), 'maintainer')
    assert.match((await store.catalog.findPackage(widget))?.readme ?? '', /Widget/)
  })
  const asked = tarballsAsked(old)
  assert.equal(asked, 3)
  old.publish('@acme/widget', '1.2.0')
  const again = await run(data, '--from', old.url, '@acme/widget')
  assert.deepEqual([again.report.imported, again.report.skipped, again.report.refused], [1, 3, []])
  assert.equal(tarballsAsked(old), asked + 1)
})

test('patterns choose among the names that it lists, by its list of all or by its search', async t => {
  const old = await startOld(t)
  for (const name of ['@acme/widget', '@acme/ui', 'left-pad']) old.publish(name, '1.0.0')
  const names = [...old.documents.keys()]
  const lists: Readonly<Record<string, (url: URL) => unknown>> = {
    '/-/all': () => Object.fromEntries([['_updated', 1], ...names.map(name => [name, { name }])]),
    // One a page, and what could be no package among them.
    '/-/v1/search': url => {
      const at = Math.floor(Number(url.searchParams.get('from')) / Number(url.searchParams.get('size')))
      const all = [...names, '../../etc/passwd']
      return { objects: all.slice(at, at + 1).map(name => ({ package: { name } })) }
    },
  }
  for (const [path, list] of Object.entries(lists)) {
    old.answer = (request, response) => {
      const url = new URL(request.url ?? '/', old.url)
      if (url.pathname !== path) return false
      response.end(JSON.stringify(list(url)))
      return true
    }
    const some = await run(freshPath(), '--from', old.url, '@acme/*', '--host-names')
    assert.deepEqual([some.code, some.report?.packages], [0, 2], path + some.err + some.out)
    const all = await run(freshPath(), '--from', old.url, '--host-names')
    assert.equal(all.report?.packages, 3, path)
    const words = ['--from', old.url, '@acme/*', '@acmee/*', 'left-pda', '--host-names']
    const slipped = await run(freshPath(), ...words)
    assert.deepEqual([slipped.code, slipped.report?.packages], [1, 2], path)
    assert.deepEqual(
      slipped.report?.refused.map((each: { source: string; code: string }) => [each.source, each.code]),
      [
        ['@acmee/*', 'package-not-found'],
        ['left-pda', 'package-not-found'],
      ],
    )
  }
  old.answer = () => false
  const none = await run(freshPath(), '--from', old.url, '@acme/*', '--host-names')
  assert.equal(none.code, 2)
  assert.match(none.err, /it lists no names/)
})

test('a name that is not hosted is refused before its bytes are asked for', async t => {
  const old = await startOld(t)
  old.publish('left-pad', '1.0.0')
  const { code, report } = await run(freshPath(), '--from', old.url, 'left-pad', 'nobody-has-it')
  assert.equal(code, 1)
  assert.deepEqual(
    report.refused.map((each: { source: string; code: string }) => [each.source, each.code]),
    [
      ['left-pad', 'name-not-hosted'],
      ['nobody-has-it', 'name-not-hosted'],
    ],
  )
  assert.deepEqual(old.asked, [])
})

test('a registry that lies is refused version by version, and everything else comes in', async t => {
  const old = await startOld(t)
  const names = ['good', 'swapped', 'other-inside', 'lost', 'elsewhere', 'not-json', 'another-name']
  for (const name of names) {
    old.publish(name, '1.0.0')
    old.publish(name, '1.1.0')
  }
  old.tarballs.set(
    '/swapped/-/swapped-1.1.0.tgz',
    packPackage({ name: 'swapped', version: '1.1.0', main: 'x' }),
  )
  const inside = packPackage({ name: 'something-else', version: '1.1.0' })
  old.tarballs.set('/other-inside/-/other-inside-1.1.0.tgz', inside)
  delete old.documents.get('other-inside').versions['1.1.0'].dist.integrity
  delete old.documents.get('other-inside').versions['1.1.0'].dist.shasum
  old.tarballs.delete('/lost/-/lost-1.1.0.tgz')
  old.documents.get('elsewhere').versions['1.1.0'].dist.tarball = 'http://169.254.169.254/latest/meta-data'
  old.documents.get('another-name').name = 'good'
  old.answer = (request, response) => {
    if (request.url !== '/not-json') return false
    response.end('{"name": "not-json", "versions": {')
    return true
  }
  const data = freshPath()
  const { code, report, out } = await run(data, '--from', old.url, ...names, '--host-names')
  assert.equal(code, 1, out)
  const refused = Object.fromEntries(
    report.refused.map((each: { source: string; code: string }) => [each.source, each.code]),
  )
  assert.equal(refused['swapped@1.1.0'], 'digest-mismatch')
  assert.ok('other-inside@1.1.0' in refused, out)
  assert.equal(refused['lost@1.1.0'], 'import-unreadable')
  assert.equal(refused['not-json'], 'import-unreadable')
  assert.equal(refused['another-name'], 'import-unreadable')
  assert.ok(!old.asked.some(({ line }) => line.includes('169.254')))
  const there = await withPorts(data, ({ ports }) => ports.store.catalog.listNames('', 20))
  assert.deepEqual(there, ['elsewhere', 'good', 'lost', 'other-inside', 'swapped'])
  assert.ok(!Object.keys(refused).some(source => source.startsWith('good')))
})

test('the token comes from a file, goes to the registry alone, and is never printed', async t => {
  const old = await startLive({ flags: { read: 'signed-in' } })
  t.after(() => old.stop())
  const document = publishDocument('@acme/widget', '1.0.0', { access: 'restricted' })
  assert.equal((await put(old, '@acme/widget', document)).status, 201)
  const file = freshPath()
  await writeFile(file, `${old.token}\n`)
  const words = ['--from', `${old.url}/npm/`, '@acme/widget', '--host-names', '--access', 'restricted']
  const data = freshPath()
  const refused = await run(data, ...words)
  assert.equal(refused.code, 1)
  const { code, report, out, err } = await run(data, ...words, '--token-file', file)
  assert.equal(code, 0, out + err)
  assert.equal(report.imported, 1)
  assert.ok(!(out + err).includes(old.token))
  const access = await withPorts(data, ({ ports }) => ports.store.catalog.findPackage(widget))
  assert.equal(access?.access, 'restricted')
  const inAddress = await holdfast('import', '--from', 'https://a:b@old.example', '--data', data)
  assert.deepEqual([inAddress.code, inAddress.err.includes('token-file')], [2, true])
})
