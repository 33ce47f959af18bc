// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Live, publishDocument, put, startLive } from '../live.ts'

let live: Live
before(async () => {
  live = await startLive()
  for (const [version, text] of [
    ['1.0.0', 'one\n'],
    ['1.1.0', 'two \u001b[31m\n'],
  ] as const) {
    const files = { 'index.js': text, 'same.js': 'same\n' }
    assert.equal((await put(live, 'diffed', publishDocument('diffed', version, { files }))).status, 201)
  }
})
after(() => live?.stop())

const bin = fileURLToPath(new URL('../../../cli/bin/holdfast.js', import.meta.url))

/** Runs the command as a user does. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, HOLDFAST_TOKEN: live.token }
  return promisify(execFile)(process.execPath, [bin, 'diff', ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
}

test('what changed is printed, with nothing in it that a terminal would obey', async () => {
  const { code, stdout } = await run('diffed@1.0.0', 'diffed@1.1.0', '--registry', live.url)
  assert.equal(code, 1, stdout)
  assert.match(stdout, /index\.js: changed, \+1 -1\n@@ -1 \+1 @@\n-one\n\+two \\u\{1b\}\[31m\n/)
  assert.match(stdout, /2 files differ, 1 do not\./)
})

test('programs get the same as JSON, and equal versions end with 0', async () => {
  const { stdout } = await run('diffed@1.0.0', 'diffed@1.1.0', '--registry', live.url, '--json')
  const told = JSON.parse(stdout)
  assert.deepEqual(
    told.files.map((each: { path: string }) => each.path),
    ['package.json', 'index.js'],
  )
  assert.equal((await run('diffed@1.0.0', 'diffed@1.0.0', '--registry', live.url)).code, 0)
})

test('bytes that are not those of the packument end it with 3, and the token goes to nobody else', async () => {
  const seen: (string | undefined)[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.end('other bytes')
  })
  await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/x.tgz`
  const liar = createServer(async (_, response) => {
    const answer = await fetch(`${live.url}/npm/diffed`, {
      headers: { authorization: `Bearer ${live.token}` },
    })
    const document = (await answer.json()) as { versions: Record<string, { dist: { tarball: string } }> }
    for (const each of Object.values(document.versions)) each.dist.tarball = address
    response.end(JSON.stringify(document))
  })
  await new Promise<void>(resolve => liar.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`
    const { code, stderr } = await run('diffed@1.0.0', 'diffed@1.1.0', '--registry', url)
    assert.equal(code, 3, stderr)
    assert.match(stderr, /diffed@1\.0\.0 has other bytes than its registry promised/)
    assert.deepEqual(new Set(seen), new Set([undefined]))
  } finally {
    elsewhere.close()
    liar.close()
  }
})

test('a version that is not there is said, with exit code 2', async () => {
  const { code, stderr } = await run('diffed@1.0.0', 'diffed@9.9.9', '--registry', live.url)
  assert.equal(code, 2)
  assert.match(stderr, /diffed@9\.9\.9 is not there/)
})
