// SPDX-License-Identifier: Apache-2.0
/** The folder of the log behind a static server that knows nothing of Holdfast, audited from outside. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freshPath, holdfast } from '../command/command-line.ts'
import { flipByte, makeInstance } from '../command/instance.ts'

// What was seen of a log stays on a machine, and each run has another log of this name.
process.env['XDG_STATE_HOME'] = freshPath()

const isThere = spawnSync('nginx', ['-v']).error === undefined

/** Where there is no nginx, a server that knows as little. */
const startServer = isThere ? startNginx : startFiles

test(`${isThere ? 'nginx' : 'a server of files'} alone serves a log that anybody can audit, and a flipped bit is found`, async () => {
  const { data } = await makeInstance()
  const listed = await holdfast('operator', 'keys', 'list', '--data', data)
  const vkey = /^log\t(\S+)/m.exec(listed.out)?.[1] ?? assert.fail(listed.err)
  const log = join(data, 'log')
  const { url, stop } = await startServer(log)
  try {
    const sound = await holdfast('log', 'audit', url, '--vkey', vkey)
    assert.equal(sound.code, 0, `${sound.out}${sound.err}`)
    assert.match(sound.out, /all chains and all entries are right/)
    const bundles = join(log, 'tile/entries/000.p')
    const widest = readdirSync(bundles).sort((a, b) => Number(b) - Number(a))[0] ?? assert.fail()
    await flipByte(join(bundles, widest))
    const changed = await holdfast('log', 'audit', url, '--vkey', vkey)
    assert.equal(changed.code, 3, `${changed.out}${changed.err}`)
  } finally {
    await stop()
  }
})

async function startFiles(root: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createHttpServer(async (request, response) => {
    const bytes = await readFile(join(root, (request.url ?? '').replaceAll('..', ''))).catch(() => undefined)
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => void server.close(),
  }
}

async function startNginx(root: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const folder = freshPath()
  mkdirSync(folder)
  const port = await freePort()
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
     http { access_log off; ${kept.join(' ')} server { listen 127.0.0.1:${port}; root ${root}; } }`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  await waitFor(url, child)
  return {
    url,
    async stop() {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function waitFor(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) assert.fail(`nginx ended with ${child.exitCode}`)
    const answer = await fetch(`${url}/checkpoint`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await delay(50)
  }
  assert.fail('nginx does not answer')
}
