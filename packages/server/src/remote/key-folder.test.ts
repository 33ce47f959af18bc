// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { isProblem, type ProblemCode } from '@holdfast/core'
import { openKeyFolder } from './key-folder.ts'

const root = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(root, { recursive: true }))

const makeFolder = async () => join(await mkdtemp(join(root, 'in-')), 'keys')
const hasCode = (code: ProblemCode) => (error: unknown) => isProblem(error) && error.code === code

function checkSignature(spki: string, text: string, signature: string): boolean {
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
  return verify('sha256', Buffer.from(text), { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'))
}

test('a new folder gets its keys, for its owner alone, and keeps them', async () => {
  const folder = await makeFolder()
  const first = await openKeyFolder(folder)
  assert.deepEqual((await readdir(folder)).sort(), ['npm.pem', 'secret.key'])
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  for (const name of await readdir(folder))
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name)
  const again = await openKeyFolder(folder)
  assert.equal(again.keyId, first.keyId)
  assert.equal(again.open(first.seal('secret')), 'secret')
})

test('a signature holds for its text and no other, under the published key', async () => {
  const signer = await openKeyFolder(await makeFolder())
  const [key = assert.fail()] = signer.publicKeys
  const text = 'left-pad@1.3.0:sha512-abc=='
  assert.ok(checkSignature(key.key, text, signer.sign(text)))
  assert.ok(!checkSignature(key.key, `${text}x`, signer.sign(text)))
  assert.equal(key.keyid, signer.keyId)
  assert.deepEqual(
    [key.keytype, key.scheme, key.expires],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256', null],
  )
})

test('the key id is the fingerprint that ssh-keygen prints', async t => {
  const folder = await makeFolder()
  const { keyId, publicKeys } = await openKeyFolder(folder)
  const spki = Buffer.from(publicKeys[0]?.key ?? '', 'base64')
  const pem = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({
    type: 'spki',
    format: 'pem',
  })
  await writeFile(join(folder, 'public.pem'), pem)
  const run = promisify(execFile)
  const ssh = await run('ssh-keygen', ['-i', '-m', 'PKCS8', '-f', join(folder, 'public.pem')]).catch(
    () => undefined,
  )
  if (ssh === undefined) return t.skip('there is no ssh-keygen here')
  await writeFile(join(folder, 'public.ssh'), ssh.stdout)
  const { stdout } = await run('ssh-keygen', ['-l', '-f', join(folder, 'public.ssh')])
  assert.equal(stdout.split(' ')[1], keyId)
})

test("the key id of npm's own key is the one npm publishes", async () => {
  // npm's key of 2022 as served by its registry, with its id.
  const spki =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg=='
  const { formatPublicKey } = await import('./npm-key.ts')
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
  const found = formatPublicKey(key, null)
  assert.equal(found.keyid, 'SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA')
  assert.equal(found.key, spki)
})

test('a retired key is published with its end, the key in use comes last, and only that one signs', async () => {
  const folder = await makeFolder()
  const before = await openKeyFolder(folder)
  await rename(join(folder, 'npm.pem'), join(folder, 'npm-1.retired-2026-01-02T03:04:05.678Z.pem'))
  const now = await openKeyFolder(folder)
  assert.notEqual(now.keyId, before.keyId)
  const keys = now.publicKeys.map(({ keyid, expires }) => [keyid, expires])
  assert.deepEqual(keys, [
    [before.keyId, '2026-01-02T03:04:05.678Z'],
    [now.keyId, null],
  ])
  assert.ok(checkSignature(now.publicKeys[1]?.key ?? '', 'a', now.sign('a')))
})

test('a retired key that is still in use is published once, as in use', async () => {
  const folder = await makeFolder()
  const { keyId } = await openKeyFolder(folder)
  const pem = await readFile(join(folder, 'npm.pem'))
  await writeFile(join(folder, 'npm-1.retired-2026-01-02T00:00:00Z.pem'), pem, { mode: 0o600 })
  const { publicKeys } = await openKeyFolder(folder)
  assert.deepEqual(
    publicKeys.map(({ keyid, expires }) => [keyid, expires]),
    [[keyId, null]],
  )
})

for (const name of ['npm.pem', 'secret.key']) {
  for (const mode of [0o640, 0o604, 0o620]) {
    test(`${name} of mode ${mode.toString(8)} is refused: others of this machine can reach it`, async () => {
      const folder = await makeFolder()
      await openKeyFolder(folder)
      await chmod(join(folder, name), mode)
      await assert.rejects(openKeyFolder(folder), hasCode('key-exposed'))
    })
  }
}

test('a folder that others can write to is refused: they could put a key in', async () => {
  const folder = await makeFolder()
  await openKeyFolder(folder)
  await chmod(folder, 0o777)
  await assert.rejects(openKeyFolder(folder), hasCode('key-exposed'))
})

test('a damaged key, a key of another kind and a short secret are refused and not replaced', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const damages: readonly [string, string | Buffer][] = [
    ['npm.pem', ''],
    ['npm.pem', 'no key'],
    ['npm.pem', privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['secret.key', Buffer.alloc(31)],
    ['secret.key', ''],
  ]
  for (const [name, content] of damages) {
    const folder = await makeFolder()
    await openKeyFolder(folder)
    await writeFile(join(folder, name), content)
    await assert.rejects(openKeyFolder(folder), hasCode('key-damaged'))
    assert.deepEqual(await readFile(join(folder, name)), Buffer.from(content))
  }
})

test('processes that open a new folder at the same time agree on one key, and leave nothing beside it', async () => {
  const folder = await makeFolder()
  const module = JSON.stringify(new URL('./key-folder.ts', import.meta.url).href)
  const script = `import { openKeyFolder } from ${module}
    const keys = await openKeyFolder(${JSON.stringify(folder)})
    console.log(JSON.stringify([keys.keyId, keys.seal('x')]))`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  const answers = await Promise.all(Array.from({ length: 6 }, run))
  const keys = await openKeyFolder(folder)
  for (const { stdout } of answers) {
    const [keyId, sealed] = JSON.parse(stdout) as [string, string]
    assert.equal(keyId, keys.keyId)
    assert.equal(keys.open(sealed), 'x')
  }
  assert.deepEqual((await readdir(folder)).sort(), ['npm.pem', 'secret.key'])
})
