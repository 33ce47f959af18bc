// SPDX-License-Identifier: Apache-2.0
/** Containment while the log, mail and upstreams are down: everything closes at once, and opens again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { parseNamePattern, problem } from '@holdfast/core'
import {
  contain,
  hostNames,
  openByHand,
  parseDraft,
  parseRevocation,
  readBlast,
  readIncident,
  revokeMeans,
  tellHolders,
  undoMeasure,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts } from '../../src/main.ts'
import { type Live, publishDocument, put, startLive, tokenOf } from '../live.ts'
import { request } from '../request.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'

let live: Live
let upstream: UpstreamRegistry
let incident = ''
let isDown = false

before(async () => {
  upstream = await startUpstream()
  upstream.publish('kit', '1.0.0')
  upstream.publish('kit', '1.0.1')
  upstream.publish('unknown', '1.0.0')
  live = await startLive({
    flags: {
      origins: JSON.stringify({ up: upstream.url }),
      allowPrivateHosts: '127.0.0.1',
      smtp: `smtp://127.0.0.1:${await closedPort()}`,
    },
    replaced: {
      openPorts: (config, clock) =>
        openPorts(config, clock, works => ({
          ...works,
          witnesses: {
            ...works.witnesses,
            async cosign() {
              if (isDown) throw problem('log-forked', { why: 'this is a test' })
              return { lines: [], isQuorumMet: true }
            },
          },
        })),
    },
  })
  await hostNames(live.ports, operator, [parseNamePattern('@acme/*')])
  for (const version of ['1.0.0', '1.0.1'])
    assert.equal((await publish('@acme/ui', version)).status, 201, version)
  for (const path of [ui, ui1, kit, kit1]) assert.equal(await status(path), 200, path)
  await live.ports.downloads.flush()
  isDown = true
  // The log stops for good at the first entry that it cannot sign.
  await publish('@acme/ui', '1.0.2')
  assert.equal((await publish('@acme/ui', '1.0.3')).status, 503)
  await upstream.close()
})
after(async () => {
  await live.stop()
})

const ui = '@acme/ui/-/ui-1.0.0.tgz'
const ui1 = '@acme/ui/-/ui-1.0.1.tgz'
const kit = 'kit/-/kit-1.0.0.tgz'
const kit1 = 'kit/-/kit-1.0.1.tgz'

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

async function publish(name: string, version: string): Promise<Response> {
  const answer = await put(live, name, publishDocument(name, version))
  await answer.text()
  return answer
}

const status = async (path: string) =>
  (await request(live.url, 'GET', `/npm/${path}`, { authorization: `Bearer ${live.token}` })).status

const take = (wish: Readonly<Record<string, string>>) =>
  contain(live.ports, operator, parseDraft({ reason: 'malware', incident, ...wish }))

test('a case is opened, and a query closes what is hosted and what is cached, at once; its end opens it', async () => {
  const subject = { package: '@acme/ui', version: '' } as never
  incident = await openByHand(live.ports, operator, { title: 'a worm', severity: 'critical', subject })
  for (const [name, path, other] of [
    ['@acme/ui', ui, ui1],
    ['kit', kit, kit1],
  ] as const) {
    const { id, count } = await take({ kind: 'quarantine', package: name, version: '1.0.0' })
    assert.deepEqual([count, await status(path), await status(other)], [1, 403, 200])
    assert.equal(await undoMeasure(live.ports, operator, id), 'undone')
    assert.equal(await status(path), 200)
  }
})

test('bytes are blocked by their hash, and a package is frozen and thawed', async () => {
  const digest = (await live.ports.store.mirrors.listIngested('kit' as never))[0]?.digest ?? ''
  const block = await take({ kind: 'block', hash: digest })
  const closed = [await status(kit), await status(kit1)]
  assert.deepEqual(closed.toSorted(), [200, 403])
  await undoMeasure(live.ports, operator, block.id)
  assert.deepEqual([await status(kit), await status(kit1)], [200, 200])
  const frozen = await take({ kind: 'freeze', subject: 'package:@acme/ui' })
  assert.equal((await publish('@acme/ui', '2.0.0')).status, 403)
  await undoMeasure(live.ports, operator, frozen.id)
})

test('switches close what asks for new names and registration', async () => {
  const { id } = await take({ kind: 'freeze', subject: 'proxying' })
  assert.equal(await status('unknown'), 403)
  assert.equal(await status(kit), 200)
  await undoMeasure(live.ports, operator, id)
})

test('who has it is answered, letters wait, and the record tells all of it', async () => {
  await take({ kind: 'quarantine', package: 'kit' })
  const blast = await readBlast(live.ports, operator, incident, '')
  assert.ok(blast.totals.fetches >= 4)
  assert.deepEqual(new Set(blast.holders.map(each => each.package)), new Set(['@acme/ui', 'kit']))
  assert.deepEqual(await tellHolders(live.ports, operator, incident), { told: 1 })
  const record = await readIncident(live.ports, operator, incident)
  assert.deepEqual(
    record.subjects.map(each => `${each.package}@${each.version}`),
    ['@acme/ui@', '@acme/ui@1.0.0', 'kit@1.0.0', 'kit@1.0.1'],
  )
})

test('a stolen account ends', async () => {
  const token = await tokenOf(live.ports, 'mallory')
  const whoami = async () =>
    (await request(live.url, 'GET', '/npm/-/whoami', { authorization: `Bearer ${token}` })).status
  assert.equal(await whoami(), 200)
  const { query, why } = parseRevocation({ account: 'mallory', reason: 'leaked' })
  await revokeMeans(live.ports, operator, query, why)
  assert.equal(await whoami(), 401)
})
