// SPDX-License-Identifier: Apache-2.0
/** What the machine's owner does with people and packages at the command line. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import { ensureAccount, setPackageRole } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { freshPath, holdfast, withPorts } from './command-line.ts'
import { makeInstance } from './instance.ts'

test('a leaver is shown, switched off and handed over; roles are given; lists are invited', async () => {
  const { data } = await makeInstance()
  const operate = async (...words: string[]) => holdfast('operator', ...words, '--data', data)
  const owner = await withPorts(data, async ({ ports }) => {
    const account = await ensureAccount(ports, operator, 'leaver')
    await setPackageRole(ports, operator, '@acme/widget' as PackageName, 'leaver', 'owner')
    return account
  })
  await operate('token', '--user', 'heir', '--read-only')
  const shown = await operate('user', 'show', owner.login)
  assert.match(shown.out, /could publish \d+ packages?:[\s\S]*@acme\/widget as owner, its only owner/)
  assert.equal((await operate('user', 'disable', owner.login)).code, 0)
  const moved = await operate('user', 'transfer', owner.login, '--to', 'heir')
  assert.match(moved.out, /@acme\/widget → heir/)
  assert.equal((await operate('role', 'heir', '--role', 'auditor')).code, 0)
  await withPorts(data, async ({ ports }) => {
    assert.notEqual((await ports.store.identity.findAccount(owner.id))?.disabledAt, null)
    assert.deepEqual((await ports.store.identity.findAccountByLogin('heir'))?.roles, ['auditor'])
  })
  const folder = freshPath()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'people.csv'), 'email,roles\nnew@people.example,auditor\n')
  const invited = await operate('invite', '--csv', join(folder, 'people.csv'))
  assert.match(invited.out, /^new@people\.example\thttp\S+\/invitation\/\S+$/m)
  assert.equal((await operate('mark', '@acme/widget', '--words', 'all of us')).code, 0)
  assert.match((await operate('critical')).out, /@acme\/widget\tmarked\tfrom \S+\tall of us/)
  assert.equal((await operate('unmark', '@acme/widget')).code, 0)
})

test('what is missing or unknown is said, with exit code 2', async () => {
  const { data } = await makeInstance()
  const wrong = [
    ['user'],
    ['user', 'fire', 'ann'],
    ['user', 'show', 'nobody-here'],
    ['user', 'transfer', 'x'],
    ['mark'],
    ['role'],
  ]
  for (const words of wrong) {
    const { code, err } = await holdfast('operator', ...words, '--data', data)
    assert.equal(code, 2, `${words.join(' ')}: ${err}`)
  }
})
