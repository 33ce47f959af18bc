// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const home = await mkdtemp(join(tmpdir(), 'holdfast-ci-'))
const npmrc = join(home, '.npmrc')
const asked: string[] = []
let status = 201
const server = createServer((request, response) => {
  const { url = '', method = '', headers } = request
  asked.push(`${method} ${url} ${headers.authorization}`)
  if (url.startsWith('/job/token')) return response.end(JSON.stringify({ value: 'identity-of-github' }))
  const good = { token: 'holdfast_secret', expires: '2026-01-01T01:00:00.000Z' }
  const bad = { title: 'No organisation here lets this job read', hint: 'Let an owner add it.' }
  return response.writeHead(status).end(JSON.stringify(status === 201 ? good : bad))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}`
after(async () => {
  server.close()
  await rm(home, { recursive: true })
})
beforeEach(async () => {
  asked.length = 0
  status = 201
  await rm(npmrc, { force: true })
})

async function run(env: Readonly<Record<string, string>>, ...args: string[]) {
  const path = `${home}${delimiter}${dirname(process.execPath)}${delimiter}/usr/bin${delimiter}/bin`
  const child = spawn(process.execPath, [launcher, 'ci', ...args], {
    env: { PATH: path, HOME: home, ...env },
  })
  child.stdin.end()
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { out, error, code: Number(code) }
}

const login = ['login', '--registry', url]

test('a job that has an identity token is signed in for one scope, and the token is not printed', async () => {
  const { out, code } = await run({ HOLDFAST_ID_TOKEN: 'identity' }, ...login, '--scope', '@acme')
  assert.equal(code, 0)
  assert.deepEqual(asked, ['POST /api/v1/ci/token Bearer identity'])
  const wanted = [`@acme:registry=${url}/npm/`, `//127.0.0.1:${port}/npm/:_authToken=holdfast_secret`, '']
  assert.equal(await readFile(npmrc, 'utf8'), wanted.join('\n'))
  assert.equal((await stat(npmrc)).mode & 0o777, 0o600)
  assert.doesNotMatch(out, /holdfast_secret/)
})

test('what else stands in the file stays, what says the same is replaced, and others cannot read it', async () => {
  await writeFile(
    npmrc,
    `fund=false\nregistry=https://elsewhere.example/\n//127.0.0.1:${port}/npm/:_authToken=old\n`,
  )
  await chmod(npmrc, 0o644)
  assert.equal((await run({ NPM_ID_TOKEN: 'identity' }, ...login.slice(0, 2), `${url}/npm/`)).code, 0)
  const wanted = [
    'fund=false',
    `registry=${url}/npm/`,
    `//127.0.0.1:${port}/npm/:_authToken=holdfast_secret`,
    '',
  ]
  assert.equal(await readFile(npmrc, 'utf8'), wanted.join('\n'))
  assert.equal((await stat(npmrc)).mode & 0o777, 0o600)
})

test('a job of GitHub asks for a token meant for this registry, and has the secret masked', async () => {
  const env = {
    GITHUB_ACTIONS: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/job/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
  }
  const { out, code } = await run(env, ...login)
  assert.equal(code, 0)
  assert.deepEqual(asked, [
    'GET /job/token?api-version=2.0&audience=npm%3A127.0.0.1 Bearer runner',
    'POST /api/v1/ci/token Bearer identity-of-github',
  ])
  assert.equal(out.replace('::add-mask::holdfast_secret\n', '').includes('holdfast_secret'), false)
})

test('a job of CircleCI asks its own command', async () => {
  await writeFile(
    join(home, 'circleci'),
    '#!/bin/sh\n[ "$*" = \'run oidc get --claims {"aud":"npm:127.0.0.1"}\' ] && echo circle\n',
  )
  await chmod(join(home, 'circleci'), 0o755)
  assert.equal((await run({ CIRCLECI: 'true' }, ...login)).code, 0)
  assert.deepEqual(asked, ['POST /api/v1/ci/token Bearer circle'])
})

test('a job without identity, a refusal and wrong words end with 2, say what to do, and write nothing', async () => {
  const none = await run({}, ...login)
  assert.match(none.error, /no identity token[\s\S]*id-token: write/)
  status = 403
  const refused = await run({ HOLDFAST_ID_TOKEN: 'identity' }, ...login)
  assert.match(refused.error, /No organisation here lets this job read\nLet an owner add it/)
  const words = await run({ HOLDFAST_ID_TOKEN: 'identity' }, 'login', '--registry', 'registry.example')
  const scope = await run({ HOLDFAST_ID_TOKEN: 'identity' }, ...login, '--scope', 'a\nb')
  assert.deepEqual([none.code, refused.code, words.code, scope.code], [2, 2, 2, 2])
  await assert.rejects(stat(npmrc))
})
