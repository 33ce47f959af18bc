// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { makeSelfSigned } from '../self-signed.ts'
import { ended, freshPath } from './command-line.ts'

const launcher = join(import.meta.dirname, '../../../cli/bin/holdfast.js')

/** A folder with an `npm` that answers with this, and fails at anything else than the question for its registry and the way to it. */
async function npmThatSays(registry: string, way: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = freshPath()
  await mkdir(folder, { recursive: true })
  const npm = join(folder, 'npm')
  const said = { registry, cafile: 'null', 'https-proxy': 'null', proxy: 'null', noproxy: '', ...way }
  const lines = Object.entries(said).map(([key, value]) => `echo '${key}=${value}'`)
  const question = `config get ${Object.keys(said).join(' ')}`
  await writeFile(npm, `#!/bin/sh\n[ "$*" = "${question}" ] || exit 1\n${lines.join('\n')}\n`)
  await chmod(npm, 0o755)
  return folder
}

/** Starts a registry, waits for its first lines, lets somebody ask it, stops it, and gives what it said. */
async function firstLines(data: string, npm: string, ...words: string[]): Promise<string> {
  return startAndAsk(data, npm, async () => {}, ...words)
}

async function startAndAsk(
  data: string,
  npm: string,
  ask: (url: string) => Promise<unknown>,
  ...words: string[]
): Promise<string> {
  const kept = Object.entries(process.env).filter(([key]) => !/^(npm_config_|HOLDFAST_)/i.test(key))
  const env = { ...Object.fromEntries(kept), PATH: `${npm}${delimiter}${process.env['PATH']}` }
  const child = spawn(process.execPath, [launcher, 'serve', '--data', data, ...words], {
    env,
    cwd: npm,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  after(() => child.kill())
  const end = ended(child)
  let said = ''
  child.stdout?.on('data', chunk => {
    said += chunk
    const [, url] = /listening on (\S+).*set-up link/s.exec(said) ?? []
    if (url !== undefined) void ask(url).finally(() => child.kill('SIGTERM'))
  })
  const { out, err } = await end
  assert.match(out, /listening on/, err)
  return out
}

test('the first start takes the registry of npm on this machine, says so and keeps it; the next one does not ask', async () => {
  const data = freshPath()
  const first = await firstLines(data, await npmThatSays('https://npm.acme.example/repo/'), '--port', '0')
  assert.match(first, /come from https:\/\/npm\.acme\.example\/repo, as npm here is set/)
  const kept = await readFile(join(data, 'origin'), 'utf8')
  assert.equal(kept, 'https://npm.acme.example/repo\n')
  const next = await firstLines(data, await npmThatSays('https://other.example/'), '--port', '0')
  assert.doesNotMatch(next, /other\.example/)
  assert.equal(await readFile(join(data, 'origin'), 'utf8'), kept)
})

test('certificates that npm believes are believed too, and the package comes through', async () => {
  const { key, cert } = makeSelfSigned()
  const cafile = join(await npmThatSays(''), 'ca.pem')
  await writeFile(cafile, cert)
  const upstream = createServer({ key, cert }, (request, response) => {
    if (request.url !== '/hello') return response.writeHead(404).end('{}')
    response.end(JSON.stringify(packument(`https://${request.headers.host}`)))
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  after(() => upstream.close())
  const registry = `https://localhost:${(upstream.address() as AddressInfo).port}/`
  const ask = async (way: Readonly<Record<string, string>>) => {
    const data = freshPath()
    const statuses: number[] = []
    const said = await startAndAsk(
      data,
      await npmThatSays(registry, way),
      async url => statuses.push((await fetch(`${url}/npm/hello`)).status),
      '--port',
      '0',
    )
    return { data, said, statuses }
  }
  const trusting = await ask({ cafile })
  assert.deepEqual(trusting.statuses, [200])
  assert.ok(trusting.said.includes(`by the certificates of ${cafile}, as npm here is set`))
  assert.deepEqual((await ask({})).statuses, [502])
  // It is kept: the next start asks nobody.
  const again: number[] = []
  const next = await npmThatSays('https://other.example/')
  await startAndAsk(
    trusting.data,
    next,
    async url => again.push((await fetch(`${url}/npm/hello`)).status),
    '--port',
    '0',
  )
  assert.deepEqual(again, [200])
})

test('the proxy that npm uses for such a registry is kept, its password told to nobody', async () => {
  const secret = 'http://build:hush@proxy.example:3128'
  const ways: [string, Readonly<Record<string, string>>, string][] = [
    ['https://npm.acme.example', { 'https-proxy': secret, proxy: 'http://plain.example:80' }, secret],
    ['https://npm.acme.example', { proxy: secret }, secret],
    ['http://npm.acme.example', { 'https-proxy': 'http://other.example:80', proxy: secret }, secret],
    ['https://npm.acme.example', { 'https-proxy': secret, noproxy: 'corp.example,.acme.example' }, ''],
    ['https://npm.acme.example', { 'https-proxy': secret, noproxy: 'cme.example' }, secret],
  ]
  for (const [registry, way, proxy] of ways) {
    const data = freshPath()
    const said = await firstLines(data, await npmThatSays(registry, way), '--port', '0')
    const kept = await readFile(join(data, 'origin'), 'utf8')
    assert.equal(kept, proxy === '' ? `${registry}\n` : `${registry}\nproxy ${proxy}\n`)
    assert.equal((await stat(join(data, 'origin'))).mode & 0o777, 0o600)
    assert.ok(!said.includes('hush'))
    assert.equal(said.includes('through the proxy proxy.example:3128'), proxy !== '')
  }
})

test('a registry that stands alone asks nobody and keeps nothing', async () => {
  const data = freshPath()
  const said = await firstLines(
    data,
    await npmThatSays('https://npm.acme.example/'),
    '--port',
    '0',
    '--no-origin',
  )
  assert.doesNotMatch(said, /acme/)
  await assert.rejects(readFile(join(data, 'origin')))
})

test('npm that is set to this registry, or says nothing of use, gives no upstream', async () => {
  const ways: [string, RegExp][] = [
    ['http://localhost:46873/npm/', /set to this registry itself/],
    ['undefined', /names no registry/],
    ['file:///etc', /names no registry/],
  ]
  for (const [says, expected] of ways) {
    const data = freshPath()
    assert.match(await firstLines(data, await npmThatSays(says), '--port', '46873'), expected)
    await assert.rejects(readFile(join(data, 'origin')))
  }
})

/** One version of long ago. */
function packument(origin: string): unknown {
  const at = '2020-01-01T00:00:00.000Z'
  const dist = {
    tarball: `${origin}/hello/-/hello-1.0.0.tgz`,
    integrity: `sha512-${Buffer.alloc(64, 1).toString('base64')}`,
  }
  return {
    name: 'hello',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { name: 'hello', version: '1.0.0', dist } },
    time: { created: at, modified: at, '1.0.0': at },
  }
}
