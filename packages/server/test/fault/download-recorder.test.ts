// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName, Version } from '@holdfast/core'
import { openDownloadRecorder } from '../../src/download-recorder.ts'
import type { Download, DownloadCount } from '../../src/ports.ts'

const download: Download = {
  package: 'ui' as PackageName,
  version: '1.0.0' as Version,
  accountId: '',
  tokenId: '',
  address: '192.0.2.1',
  client: 'npm',
}

test('downloads counted while the store fails are written when it takes them again, each once', async () => {
  const written: DownloadCount[] = []
  let fail: (() => void) | undefined = () => {}
  const add = async (batch: readonly DownloadCount[]) => {
    if (fail === undefined) return void written.push(...batch)
    fail()
    throw new Error('the disk is full')
  }
  const recorder = openDownloadRecorder(
    { downloads: { add, prune: async () => {}, shortenAddresses: async () => {} } as never },
    () => 1000,
  )
  recorder.add(download)
  recorder.add(download)
  // While the first batch is on its way, the same hand fetches once more.
  fail = () => recorder.add(download)
  await assert.rejects(recorder.flush())
  fail = undefined
  await recorder.close()
  assert.deepEqual(
    written.map(each => each.count),
    [3],
  )
})

test('what could not be forgotten is tried again within the hour, and then once a day', async () => {
  let now = 1_000_000_000_000
  let isBroken = true
  const tries: number[] = []
  const prune = async () => {
    tries.push(now)
    if (isBroken) throw new Error('the database is away')
  }
  const downloads = { add: async () => {}, prune, shortenAddresses: async () => {} } as never
  const recorder = openDownloadRecorder({ downloads }, () => now)
  const until = async (count: number) => {
    while (tries.length < count) await delay(50)
  }
  await until(1)
  now += 3600_000
  isBroken = false
  await until(2)
  now += 23 * 3600_000
  await delay(1500)
  assert.equal(tries.length, 2)
  now += 3600_000
  await until(3)
  await recorder.close()
})
