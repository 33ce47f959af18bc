// SPDX-License-Identifier: Apache-2.0
/**
 * The five real clients behind the firewall, which reaches its upstream through a company's proxy and by a company's authority:
 * what each prints of a version that cools, is held, is blocked or was quarantined, and what its ranges take instead.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as ask, createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { authority, certificate, key } from '../fixture/tls.ts'
import { startUpstream } from '../upstream-registry.ts'
import { commands, type Desk, isHere, type Kind, openDesk } from './client.ts'
import { fails, passes } from './expect.ts'
import { startRegistry } from './registry.ts'

const hourMs = 3600_000
const kinds: readonly Kind[] = ['npm', 'pnpm', 'yarn', 'berry', 'bun']
const secret = 'the-token-of-the-upstream'
const port = (server: Server) => (server.address() as AddressInfo).port

const upstream = await startUpstream()
after(() => upstream.close())

/** The upstream as the company sees it: `registry.example`, which no name server here knows. */
const tls = createTlsServer({ cert: certificate, key }, (request, response) => {
  assert.equal(request.headers.authorization, `Bearer ${secret}`)
  const { method, url, headers } = request
  request.pipe(
    ask(upstream.url + url, { method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    }),
  )
}).listen(0, '127.0.0.1')

/** Tunnels, and notes what it sees. */
const tunnels: string[] = []
const proxy = createServer((_, response) => response.writeHead(405).end())
  .on('connect', (request: IncomingMessage, socket) => {
    tunnels.push(`${request.url} ${JSON.stringify(request.headers)}`)
    const onward = connect(port(tls), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  .listen(0, '127.0.0.1')
await Promise.all([once(tls, 'listening'), once(proxy, 'listening')])
after(() => {
  for (const server of [tls, proxy]) {
    server.closeAllConnections()
    server.close()
  }
})

const folder = await mkdtemp(join(tmpdir(), 'holdfast-firewall-'))
after(() => rm(folder, { recursive: true, force: true }))
const ca = join(folder, 'authority.pem')
await writeFile(ca, authority)
const origin = {
  url: 'https://registry.example',
  proxy: `http://127.0.0.1:${port(proxy)}`,
  ca,
  token: secret,
}
const firewall = await startRegistry({
  HOLDFAST_ORIGINS: JSON.stringify({ company: origin }),
  HOLDFAST_ADVISORY_FEEDS: '',
  HOLDFAST_POLICY: JSON.stringify([
    { kind: 'release-age', days: 3, mode: 'enforce' },
    { kind: 'deny', packages: kinds.map(kind => `${kind}-blocked`), versions: '1.1.0', mode: 'enforce' },
    { name: 'no-scripts', kind: 'install-script', action: 'hold', mode: 'enforce' },
  ]),
})
after(() => firewall.stop())

type Closed = 'cooling' | 'held' | 'blocked' | 'quarantined'
const closed: readonly Closed[] = ['cooling', 'held', 'blocked', 'quarantined']

/** What the registry says of each after its number: in its document, and where the bytes are. */
const why: Record<Closed, { readonly listed: string; readonly atTheDoor: string }> = {
  cooling: { listed: 'is cooling: it is younger', atTheDoor: 'is too young: it is younger' },
  held: { listed: 'is held: it runs code', atTheDoor: 'is held until a person has looked at it' },
  blocked: { listed: 'is blocked: it is on the list', atTheDoor: 'is blocked by policy: it is on the list' },
  quarantined: {
    listed: 'is quarantined: steals tokens',
    atTheDoor: 'is quarantined: steals tokens',
  },
}

/** An old version, and one that is closed. */
function publish(name: string, how: Closed): void {
  for (const version of ['1.0.0', '1.1.0']) {
    const isClosed = version === '1.1.0'
    upstream.publish(name, version, {
      publishedAt: Date.now() - (isClosed && how === 'cooling' ? hourMs : 400 * 24 * hourMs),
      manifest: isClosed && how === 'held' ? { scripts: { postinstall: 'node setup.js' } } : {},
      dist: { tarball: `https://registry.example/${name}/-/${name}-${version}.tgz` },
    })
  }
}

/** What is left for people to read where a client that asks by its number does not find it in the document. */
const unlisted: Record<Kind, (name: string, how: Closed) => RegExp> = {
  npm: (name, how) =>
    new RegExp(
      `due to policy violations: .*1\\.1\\.0 ${why[how].listed}.*, allowed instead: 1\\.0\\.0.*/why/npm/${name}`,
    ),
  pnpm: name => new RegExp(`No matching version found for ${name}@1\\.1\\.0`),
  yarn: name => new RegExp(`Couldn't find any versions for "${name}" that matches "1\\.1\\.0"`),
  berry: name => new RegExp(`${name}@npm:1\\.1\\.0: No candidates found`),
  bun: name => new RegExp(`No version matching "1\\.1\\.0" found for specifier "${name}"`),
}

/** And where it asks for the bytes: what its lock file names comes by this way too. */
const refused: Record<Kind, (name: string, how: Closed) => RegExp> = {
  npm: (name, how) => explained(name, how),
  pnpm: () => /403/,
  // It prints no word of an answer.
  yarn: name => new RegExp(`${name}-1\\.1\\.0\\.tgz: Request failed "403 Forbidden"`),
  berry: (name, how) => explained(name, how),
  bun: name => new RegExp(`${name}-1\\.1\\.0\\.tgz - 403`),
}

function explained(name: string, how: Closed): RegExp {
  return new RegExp(
    `${name}@1\\.1\\.0 ${why[how].atTheDoor}.*llowed instead: 1\\.0\\.0.*/why/npm/${name}/1\\.1\\.0`,
  )
}

describe('behind the firewall', { concurrency: 2 }, () => {
  for (const kind of kinds) {
    const skip = isHere(kind) ? false : `there is no build of ${kind} for this platform`
    describe(kind, { concurrency: 1, skip }, () => {
      for (const how of closed) test(`a version that is ${how}`, () => meet(kind, how))
    })
  }
})

test('nothing went past the proxy, and it saw a host and no credential', () => {
  assert.ok(tunnels.length > 0)
  for (const tunnel of tunnels) {
    assert.match(tunnel, /^registry\.example:443 /)
    assert.doesNotMatch(tunnel, new RegExp(secret))
  }
})

async function meet(kind: Kind, how: Closed): Promise<void> {
  const name = `${kind}-${how}`
  publish(name, how)
  if (how === 'quarantined') {
    const words = ['--reason', 'malware', '--words', 'steals tokens']
    assert.equal((await firewall.call(`/${name}`)).status, 200)
    await firewall.operate('quarantine', `${name}@1.1.0`, ...words)
    await firewall.until(`/${name}`, async answer => !('1.1.0' in (await answer.json()).versions))
  }
  const desk = await openDesk(kind, firewall.npm)
  try {
    passes(await tryAdding(desk, 'range', `${name}@^1.0.0`))
    assert.equal((await desk.installed('range', name))?.['version'], '1.0.0')
    fails(await tryAdding(desk, 'exact', `${name}@1.1.0`), unlisted[kind](name, how))
    const address = `${firewall.npm}${name}/-/${name}-1.1.0.tgz`
    fails(
      await tryAdding(desk, 'bytes', kind === 'berry' ? `${name}@${address}` : address),
      refused[kind](name, how),
    )
    assert.equal(await desk.installed('bytes', name), undefined)
  } finally {
    await desk.remove()
  }
}

async function tryAdding(desk: Desk, at: string, spec: string) {
  await desk.folder(at, { name: 'app', version: '1.0.0', private: true })
  return desk.run(at, commands[desk.kind].add(spec))
}
