// SPDX-License-Identifier: Apache-2.0
/** `holdfast witness` as a process, spoken to as logs do. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseNote, parseVerifierKey, readCosignatureTime, verifyNote, webCrypto } from '@holdfast/core'
import { hashOrigin } from '../src/witness/memory.ts'
import { makeSmallLog, type SmallLog } from './small-log.ts'

const launcher = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'holdfast-witness-'))
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

const log = await makeSmallLog('log.example')
let folders = 0

/** Makes a witness in a folder of its own; its key. */
function init(): { data: string; vkey: string } {
  folders += 1
  const data = join(root, `w${folders}`)
  const made = run('init', '--name', 'witness.example/w1', '--data', data)
  assert.equal(made.status, 0, made.stderr)
  return { data, vkey: made.stdout.trim() }
}

function run(...words: string[]) {
  return spawnSync(process.execPath, [launcher, 'witness', ...words], { encoding: 'utf8', cwd: root })
}

interface Served {
  readonly url: string
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

async function serve(data: string, ...words: string[]): Promise<Served> {
  const args = [launcher, 'witness', 'serve', '--port', '0', '--data', data, ...words]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const [line] = await once(child.stdout, 'data')
  const [, url = assert.fail(String(line))] =
    /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line)) ?? []
  return {
    url,
    async end(signal) {
      child.kill(signal)
      const [code] = await once(child, 'exit')
      running.delete(child)
      return code
    },
  }
}

const post = (url: string, body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body })
const shown = (url: string) => fetch(`${url}/${hashOrigin('log.example')}/checkpoint`)

/** The cosigned tree of the log at this size, which must come out of the answer. */
async function checkCosigned(answer: Response, of: SmallLog, size: number, vkey: string): Promise<void> {
  const line = await answer.text()
  assert.equal(answer.status, 200, line)
  const note = parseNote(`${await of.checkpoint(size)}${line}`)
  const key = await parseVerifierKey(webCrypto, vkey)
  assert.deepEqual(await verifyNote(webCrypto, note, [key]), [key])
  const age = Date.now() / 1000 - readCosignatureTime(note.signatures.at(-1) ?? assert.fail())
  assert.ok(age >= 0 && age < 60, `cosigned ${age} seconds ago`)
}

test('a witness gets a key for its owner alone, keeps it, and says it again', () => {
  const { data, vkey } = init()
  assert.match(vkey, /^witness\.example\/w1\+[0-9a-f]{8}\+B[\w+/=]+$/)
  assert.equal(statSync(join(data, 'witness.pem')).mode & 0o777, 0o600)
  assert.equal(run('vkey', '--data', data).stdout.trim(), vkey)
  assert.equal(run('init', '--name', 'other.example', '--data', data).status, 2)
  assert.equal(run('vkey', '--data', data).stdout.trim(), vkey)
  assert.equal(run('init', '--name', 'a+b', '--data', join(root, 'none')).status, 2)
  assert.equal(run('serve', '--data', data).status, 2)
  assert.equal(run('serve', '--data', data, '--log', vkey).status, 2)
})

test('a log that grows is cosigned, also after a kill, and its last checkpoint is shown', async () => {
  const { data, vkey } = init()
  writeFileSync(join(data, 'policy.txt'), `log ${log.vkey}\nquorum none\n`)
  const first = await serve(data)
  assert.equal((await shown(first.url)).status, 404)
  await checkCosigned(await post(first.url, await log.request(0, 3)), log, 3, vkey)
  await checkCosigned(await post(first.url, await log.request(3, 40)), log, 40, vkey)
  await first.end('SIGKILL')
  const second = await serve(data)
  const refused = await post(second.url, await log.request(3, 41))
  assert.equal(refused.status, 409)
  assert.equal(refused.headers.get('content-type'), 'text/x.tlog.size')
  assert.equal(await refused.text(), '40\n')
  await checkCosigned(await post(second.url, await log.request(40, 41)), log, 41, vkey)
  await checkCosigned(await post(second.url, await log.request(41, 41)), log, 41, vkey)
  const note = parseNote(await (await shown(second.url)).text())
  const keys = [log.key, await parseVerifierKey(webCrypto, vkey)]
  assert.deepEqual(await verifyNote(webCrypto, note, keys), keys)
  assert.equal(note.text, parseNote(await log.checkpoint(41)).text)
  assert.equal((await fetch(`${second.url}/-/health/live`)).status, 200)
  assert.equal(await second.end('SIGTERM'), 0)
})

test('of many branches that are offered at once one is cosigned, in two processes on one folder', async () => {
  const { data } = init()
  const words = ['--log', `${log.vkey} https://log.example`] as const
  const witnesses = [await serve(data, ...words), await serve(data, ...words)]
  const one = witnesses[0] ?? assert.fail()
  assert.equal((await post(one.url, await log.request(0, 5))).status, 200)
  const branches = Array.from({ length: 16 }, (_, at) => (at === 0 ? log : log.fork(5 + (at % 4))))
  const bodies = await Promise.all(branches.map((branch, at) => branch.request(5, 10 + at)))
  const answers = await Promise.all(
    bodies.map(async (body, at) => (await post(witnesses[at % 2]?.url ?? '', body)).status),
  )
  assert.deepEqual(
    answers.filter(status => status === 200),
    [200],
  )
  assert.ok(
    answers.every(status => status === 200 || status === 409),
    answers.join(),
  )
  for (const witness of witnesses) assert.equal(await witness.end('SIGTERM'), 0)
})

test('what is too long, malformed, unknown or half sent gets its answer, and the witness goes on', async () => {
  const { data } = init()
  const { url, end } = await serve(data, '--log', log.vkey)
  const stranger = await makeSmallLog('stranger.example')
  assert.equal((await post(url, 'a'.repeat(70_000))).status, 413)
  assert.equal((await post(url, 'old 0\n\n')).status, 400)
  assert.equal((await post(url, await stranger.request(0, 1))).status, 404)
  assert.equal((await fetch(`${url}/add-checkpoint`)).status, 404)
  assert.equal((await fetch(`${url}/../../etc/passwd`)).status, 404)
  assert.equal((await fetch(url, { headers: { long: 'a'.repeat(9000) } })).status, 431)
  const slow = connect(Number(new URL(url).port), '127.0.0.1')
  slow.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold')
  await once(slow, 'connect')
  assert.equal((await post(url, await log.request(0, 2))).status, 200)
  slow.destroy()
  assert.equal(await end('SIGTERM'), 0)
})
