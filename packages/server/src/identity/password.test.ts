// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { checkNewPassword, hashPassword, isPassword } from './password.ts'

const password = 'correct horse battery staple'

test('a password is kept as a PHC string of argon2id with a salt of its own, and found again', async () => {
  const [one, other] = await Promise.all([hashPassword(password), hashPassword(password)])
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, other)
  assert.equal(await isPassword(password, one), true)
  assert.equal(await isPassword(`${password} `, one), false)
})

test('hashes of other strength are still understood', async () => {
  // Made by the reference implementation: argon2id, 64 MiB, 3 passes, 1 lane.
  const foreign = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.equal(await isPassword('password', foreign), true)
  assert.equal(await isPassword('passwort', foreign), false)
})

test('an account without a password has none, not the empty one, and damaged hashes match nothing', async () => {
  for (const phc of [null, '', '$argon2id$v=19$m=1', 'plain']) {
    assert.equal(await isPassword('', phc), false)
    assert.equal(await isPassword(password, phc), false)
  }
})

test('a password longer than any that can be set is not hashed whole', async () => {
  assert.equal(await isPassword('x'.repeat(10_000_000), await hashPassword(password)), false)
})

const refused: Record<string, string> = {
  short: 'eleven char',
  endless: 'x7Q'.repeat(100),
  uniform: 'aaaabbbbaaaabbbb',
  run: '123456789012345',
  alphabet: 'abcdefghijklmnop',
  'user name': 'my-alice-secret',
  address: 'xx-Alice.Smith-xx',
  'the commonest word with a number': 'Password2026!',
  'the same in disguise': 'P@ssw0rd1234',
  'the keyboard twice': 'qwertyQWERTY12',
  'digits only': '831905722618',
}

for (const [what, bad] of Object.entries(refused)) {
  test(`a new password is refused: ${what}`, () => {
    assert.throws(() => checkNewPassword(bad, ['alice', 'alice.smith@people.example', 'alice.smith']), {
      code: 'weak-password',
    })
  })
}

test('a good new password is accepted in any script', () => {
  for (const good of [password, 'пароль из четырёх слов', '9f3kQ0x!vZ72']) checkNewPassword(good, ['alice'])
})

test('many guesses at once leave threads for those who read', async () => {
  const phc = await hashPassword(password)
  let answered = 0
  const guesses = Array.from({ length: 12 }, async (_, i) => {
    assert.equal(await isPassword(`${password} ${i}`, phc), false)
    answered += 1
  })
  await readFile(import.meta.filename)
  assert.ok(answered < 6, `${answered} guesses were answered before one file was read`)
  await Promise.all(guesses)
})

test('a hash that cannot be computed fails for itself, not for those beside it', async () => {
  const phc = await hashPassword(password)
  const damaged = phc.replace('m=19456', 'm=1')
  const [bad, good] = await Promise.allSettled([isPassword(password, damaged), isPassword(password, phc)])
  assert.equal(bad.status, 'rejected')
  assert.deepEqual(good, { status: 'fulfilled', value: true })
})

const cannotTell = process.platform !== 'linux' || getPriority() >= 10

test('hashing stands back, and nothing else does', { skip: cannotTell }, async () => {
  await hashPassword(password)
  const own = niceness(await readFile('/proc/self/stat', 'utf8'))
  const threads = await readdir('/proc/self/task')
  const all = await Promise.all(threads.map(id => readFile(`/proc/self/task/${id}/stat`, 'utf8')))
  assert.equal(all.map(niceness).filter(each => each > own).length, 1)
})

/** proc_pid_stat(5): the 19th field; the second is a name in parentheses. */
function niceness(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
}
