// SPDX-License-Identifier: Apache-2.0
/** The policy at the machine: its rules, advisories and waivers, beside a server that runs. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parseNamePattern } from '@holdfast/core'
import { hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument, put, tokenOf } from '../live.ts'
import { freshPath, holdfast, serve, withPorts } from './command-line.ts'

test('what the operator does at the machine counts in a running server within a second', async () => {
  const data = freshPath()
  const token = await withPorts(data, async ({ ports }) => {
    await hostNames(ports, operator, [parseNamePattern('*')])
    return tokenOf(ports, 'alice')
  })
  const server = await serve(data)
  const run = (...words: string[]) => holdfast('operator', ...words, '--data', data)
  try {
    for (const version of ['1.0.0', '1.0.1'])
      assert.equal(
        (await put({ url: server.url, token }, 'lib', publishDocument('lib', version))).status,
        201,
      )
    const status = async (version: string) =>
      (await fetch(`${server.url}/npm/lib/-/lib-${version}.tgz`)).status
    assert.equal(await status('1.0.1'), 200)
    const config = join(data, 'holdfast.yaml')
    await writeFile(config, 'policy:\n  - { kind: malware, mode: enforce, origins: [hosted] }\n')
    const applied = await run('policy', 'apply', '--config', config)
    assert.match(applied.out, /^hides 0 of \d+ versions/, applied.err)
    assert.match((await run('policy', 'apply', '--config', config)).out, /in force already/)
    assert.match((await run('policy', 'show')).out, /malware\tenforce\tblock/)
    const folder = join(data, 'osv', 'deeper')
    await mkdir(folder, { recursive: true })
    const malware = {
      id: 'MAL-2026-1',
      modified: '2026-01-01T00:00:00Z',
      summary: 'steals tokens',
      affected: [{ package: { ecosystem: 'npm', name: 'lib' }, versions: ['1.0.1'] }],
    }
    await writeFile(join(folder, 'one.json'), JSON.stringify([malware, { id: 'MAL-x' }]))
    const loaded = await run('advisories', join(data, 'osv'))
    assert.equal(loaded.out, '1 read, 1 new or changed, 1 left out\n')
    assert.match(loaded.err, /left out: .*MAL-x/)
    for (let waited = 0; (await status('1.0.1')) !== 403; waited += 50) {
      assert.ok(waited < 1000, 'the server did not follow')
      await delay(50)
    }
    assert.equal(await status('1.0.0'), 200)
  } finally {
    assert.equal((await server.stop()).code, 0)
  }
})

test('a rule is tried and switched by its name, and nonsense is told', async () => {
  const data = freshPath()
  const run = (...words: string[]) => holdfast('operator', ...words, '--data', data)
  assert.match((await run('policy', 'enforce', 'install-script', '--dry-run')).out, /^hides 0 of 0/)
  assert.match((await run('policy', 'show')).out, /install-script\tmonitor/)
  assert.equal((await run('policy', 'enforce', 'install-script')).code, 0)
  assert.match((await run('policy', 'show')).out, /version 1,[\s\S]*install-script\tenforce/)
  assert.equal((await run('waiver', 'list')).code, 0)
  const lock = join(data, 'package-lock.json')
  await writeFile(
    lock,
    JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/lib': { version: '1.0.0' } } }),
  )
  assert.match((await run('policy', 'keep', lock)).out, /^1 versions are left alone/)
  for (const wrong of [
    ['policy', 'enforce', 'no-such-rule'],
    ['policy', 'apply'],
    ['policy'],
    ['policy', 'keep'],
    ['policy', 'keep', join(data, 'holdfast.db')],
    ['waiver', 'grant'],
    ['waiver', 'grant', 'wv_none'],
    ['waiver', 'constructor', 'x'],
    ['advisories'],
    ['advisories', join(data, 'not-there')],
  ])
    assert.notEqual((await run(...wrong)).code, 0, wrong.join(' '))
})
