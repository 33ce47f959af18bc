// SPDX-License-Identifier: Apache-2.0
/** The mark of the largest tree that was signed: `log.mark` in the key folder, as log-key.ts describes it. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { problem } from '@holdfast/core'
import type { LogSigner } from '../ports.ts'
import { errorCode, readKeyFile, readOrMake, syncFolder } from './key-file.ts'

const slotBytes = 512

/** A tree as it was signed. */
export type Tree = Parameters<LogSigner['sign']>[0]

/** The tree that was marked last; undefined before the first. */
export async function readMark(path: string): Promise<Tree | undefined> {
  return newest(await readSlots(path))
}

/** Durable when it resolves. Throws where the tree is not the marked one or a larger one. */
export async function raiseMark(folder: string, path: string, tree: Tree): Promise<void> {
  const slots = await readSlots(path)
  const last = newest(slots)
  if (last !== undefined && tree.size < last.size)
    throw problem('log-behind', { signed: last.size, found: tree.size })
  if (last?.size === tree.size) {
    if (Buffer.compare(last.root, tree.root) === 0) return
    throw problem('log-forked', { why: `another tree of ${tree.size} entries was signed before` })
  }
  const older = slots[0] === last && last !== undefined ? 1 : 0
  const file = await openOrMake(folder, path)
  try {
    await file.write(formatSlot(tree), 0, slotBytes, older * slotBytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function openOrMake(folder: string, path: string) {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    await readOrMake(path, () => Buffer.alloc(2 * slotBytes))
    await syncFolder(folder)
    return open(path, 'r+')
  }
}

/** What stands in the two places; undefined for one that holds nothing whole. */
async function readSlots(path: string): Promise<readonly (Tree | undefined)[]> {
  const bytes = await readKeyFile(path).catch(error => {
    if (errorCode(error) !== 'ENOENT') throw error
    return undefined
  })
  if (bytes === undefined) return []
  const slots = [0, 1].map(at => parseSlot(bytes.subarray(at * slotBytes, (at + 1) * slotBytes)))
  if (slots.every(slot => slot === undefined) && bytes.some(byte => byte !== 0))
    throw problem('key-damaged', { path, why: 'neither of its two marks is whole' })
  return slots
}

function newest(slots: readonly (Tree | undefined)[]): Tree | undefined {
  return slots.filter(slot => slot !== undefined).sort((a, b) => b.size - a.size)[0]
}

function formatSlot({ size, root }: Tree): Buffer {
  const words = `${size} ${Buffer.from(root).toString('base64')}`
  return Buffer.from(`${digestOf(words)} ${words}`.padEnd(slotBytes - 1).concat('\n'))
}

function parseSlot(bytes: Buffer): Tree | undefined {
  const [digest, size = '', root = ''] = bytes.toString('latin1').trimEnd().split(' ')
  if (digest !== digestOf(`${size} ${root}`)) return undefined
  return { size: Number(size), root: new Uint8Array(Buffer.from(root, 'base64')) }
}

function digestOf(words: string): string {
  return createHash('sha256').update(words).digest('hex')
}
