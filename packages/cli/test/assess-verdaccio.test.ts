// SPDX-License-Identifier: Apache-2.0
/** Another registry, as people run it, assessed from outside: what is said of it is true. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { weigh } from '../src/assess/assessment.ts'
import { listGaps } from '../src/assess/gap.ts'
import { lookFromOutside } from '../src/assess/outside.ts'
import { outsideProbes } from '../src/assess/outside-list.ts'
import { unanswered } from '../src/assess/questionnaire.ts'
import { openTarget } from '../src/assess/target.ts'

const program = fileURLToPath(new URL('../../../bench/node_modules/verdaccio/bin/verdaccio', import.meta.url))
const skip = existsSync(program) ? false : 'Verdaccio is not installed (npm ci --prefix bench)'

test('Verdaccio 6 is told what it lacks, and nothing is claimed that was not seen', { skip }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-verdaccio-'))
  const url = await startVerdaccio(t, folder)
  await publish(url, folder)
  const seen = await lookFromOutside(await openTarget(url, ['@acme/widget']), outsideProbes)
  const failed = [...seen].filter(([, { status }]) => status === 'fail').map(([id]) => id)
  // Each is so by Verdaccio's own routes: it has no such address, and answers as for a package that is not there.
  assert.deepEqual(failed.sort(), [
    'authn-3-passkeys',
    'authz-3-oidc',
    'beyond-signatures',
    'beyond-staged',
    'cli-2-warn',
    'general-1-vdp',
    'general-3-log',
  ])
  // Its digests are right, which is half of that capability; the other half cannot be seen.
  assert.equal(seen.get('cli-1-pin')?.status, 'unseen')
  assert.match(seen.get('cli-1-pin')?.evidence.join() ?? '', /@acme\/widget@1\.0\.0/)
  assert.ok([...seen.values()].every(({ status }) => status !== 'pass'))
  const result = weigh(seen, unanswered)
  assert.deepEqual(result.levels, { authentication: 0, authorization: 0, general: 0, cli: 0 })
  assert.equal(listGaps(result)[0]?.capability.level, 1)
})

async function startVerdaccio(t: TestContext, folder: string): Promise<string> {
  const config = join(folder, 'config.yaml')
  await writeFile(
    config,
    `storage: ${folder}/storage
auth: { htpasswd: { file: ${folder}/htpasswd } }
packages: { '**': { access: $all, publish: $authenticated } }
log: { type: stdout, format: json, level: fatal }
`,
  )
  const url = `http://127.0.0.1:${await findFreePort()}`
  const child = spawn(process.execPath, [program, '--config', config, '--listen', url], {
    cwd: folder,
    stdio: 'ignore',
  })
  t.after(async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  })
  while (!(await isUp(url))) {
    assert.equal(child.exitCode, null, 'Verdaccio ended before it answered')
    await delay(50)
  }
  return url
}

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/-/ping`).then(
    answer => answer.ok,
    () => false,
  )
}

/** As its users do, by npm. */
async function publish(url: string, folder: string): Promise<void> {
  const account = JSON.stringify({ name: 'ann', password: 'a long sentence', type: 'user' })
  const headers = { 'content-type': 'application/json' }
  const signedUp = await fetch(`${url}/-/user/org.couchdb.user:ann`, {
    method: 'PUT',
    headers,
    body: account,
  })
  const { token } = (await signedUp.json()) as { token: string }
  await writeFile(
    join(folder, 'package.json'),
    '{"name":"@acme/widget","version":"1.0.0","license":"MIT","files":[]}',
  )
  await writeFile(
    join(folder, '.npmrc'),
    `registry=${url}/\n${url.slice('http:'.length)}/:_authToken=${token}\ncache=${folder}/cache\nupdate-notifier=false\n`,
  )
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder }
  await promisify(execFile)('npm', ['publish'], { cwd: folder, env })
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
