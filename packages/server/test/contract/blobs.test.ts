// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openFileBlobs, openMemoryBlobs } from '../../src/store/blob/index.ts'
import { blobsContract } from './blobs.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))

blobsContract('a folder', async options => openFileBlobs(await mkdtemp(join(folder, 'blobs-')), options))
blobsContract('memory', async options => openMemoryBlobs(options))
