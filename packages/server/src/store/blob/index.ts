// SPDX-License-Identifier: Apache-2.0
/** The Blobs port: in a folder, and in memory for tests. */
export type { BlobFault, BlobOptions } from './file.ts'
export { openFileBlobs } from './file.ts'
export { openMemoryBlobs } from './memory.ts'
