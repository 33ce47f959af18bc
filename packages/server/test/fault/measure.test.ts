// SPDX-License-Identifier: Apache-2.0
/** Measures while the log, mail and upstreams are down: they work at once, and are taken back at once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseNamePattern } from '@holdfast/core'
import {
  contain,
  hostNames,
  type LogWorks,
  parseDraft,
  revokeMeans,
  undoMeasure,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts } from '../../src/main.ts'
import { type Live, publishDocument, put, startLive, tokenOf } from '../live.ts'
import { request } from '../request.ts'

/** Nobody listens there. */
const nowhere = '127.0.0.1:9'

const faults: readonly [string, (works: LogWorks, isDown: () => boolean) => LogWorks][] = [
  [
    'the disk of the log is full',
    (works, isDown) => ({
      ...works,
      files: {
        ...works.files,
        async write(files) {
          if (isDown()) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
          return works.files.write(files)
        },
      },
    }),
  ],
  [
    'the signer of the log is gone',
    (works, isDown) => ({
      ...works,
      signer: new Proxy(works.signer, {
        get(target, key) {
          if (isDown()) throw new Error('no such key')
          return Reflect.get(target, key)
        },
      }),
    }),
  ],
]

// Beside each other: a publisher waits ten seconds for a log that is down.
describe('while nothing else works', { concurrency: true }, () => {
  for (const [what, breaking] of faults)
    test(`while ${what}, and neither mail nor an upstream answers, measures close and open at once`, {
      timeout: 120_000,
    }, async () => {
      let isDown = false
      const live = await startLive({
        flags: {
          smtp: `smtp://${nowhere}`,
          origins: JSON.stringify({ up: `http://${nowhere}` }),
          routes: JSON.stringify({ 'far-*': 'up' }),
          allowPrivateHosts: '127.0.0.1',
        },
        replaced: {
          openPorts: (config, clock) => openPorts(config, clock, works => breaking(works, () => isDown)),
        },
      })
      try {
        await hostNames(live.ports, operator, [parseNamePattern('near')])
        assert.equal((await publish(live, '1.0.0')).status, 201)
        isDown = true
        await checkMeasures(live)
      } finally {
        isDown = false
        await live.stop()
      }
    })
})

async function checkMeasures(live: Live): Promise<void> {
  const { ports } = live
  const quarantine = await contain(ports, operator, draft({ kind: 'quarantine', package: 'near' }))
  assert.equal(await tarballStatus(live), 403)
  assert.equal(await undoMeasure(ports, operator, quarantine.id), 'undone')
  assert.equal(await tarballStatus(live), 200)

  const freeze = await contain(ports, operator, draft({ kind: 'freeze', subject: 'package:near' }))
  assert.equal((await publish(live, '1.0.1')).status, 403)
  assert.equal(await undoMeasure(ports, operator, freeze.id), 'undone')
  const published = await publish(live, '1.0.1')
  assert.match(published.headers.get('npm-notice') ?? '', /not yet visible/, 'the log is not down')

  const stolen = await tokenOf(ports, 'mallory')
  assert.equal(await whoami(live, stolen), 200)
  const why = { reason: 'leaked', words: '', incident: '' } as const
  await revokeMeans(ports, operator, { account: 'mallory' }, why)
  assert.equal(await whoami(live, stolen), 401)
}

function draft(wish: Readonly<Record<string, string>>) {
  return parseDraft({ ...wish, reason: 'malware' })
}

async function publish(live: Live, version: string): Promise<Response> {
  const answer = await put(live, 'near', publishDocument('near', version))
  await answer.text()
  return answer
}

async function tarballStatus(live: Live): Promise<number | undefined> {
  return (await request(live.url, 'GET', '/npm/near/-/near-1.0.0.tgz')).status
}

async function whoami(live: Live, token: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}` }
  return (await request(live.url, 'GET', '/npm/-/whoami', headers)).status
}
