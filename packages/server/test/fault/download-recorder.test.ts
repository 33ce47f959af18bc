// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  const recorder = openDownloadRecorder({ downloads: { add } as never }, () => 1000)
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
