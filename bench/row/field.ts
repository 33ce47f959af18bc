// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { findFreePort, untilAtRest } from '../process.ts'
import { startBare } from '../server/bare.ts'
import { importStock, startHoldfast } from '../server/holdfast.ts'
import { startNginx } from '../server/nginx.ts'
import type { Peer, PeerName, Stock } from '../server/peer.ts'
import { writeStaticFiles } from '../server/static-files.ts'
import { startVerdaccio, writeVerdaccioStock } from '../server/verdaccio.ts'
import { type Options, present } from './row.ts'

/** Runs a step of one peer; where it fails the peer is left out of these rows, and the report says why. */
export async function attempt<T>(
  options: Options,
  name: PeerName,
  step: () => Promise<T>,
): Promise<T | undefined> {
  if (options.absent.has(name)) return undefined
  try {
    return await step()
  } catch (error) {
    const why = `${name} is left out: ${error instanceof Error ? error.message : String(error)}`.slice(0, 400)
    options.notes.push(why)
    options.say(why)
    return undefined
  }
}

/** All peers with the same packages: Holdfast imports Verdaccio's, the static servers serve the bytes that Holdfast answers. */
export async function startField(
  options: Options,
  label: string,
  stock: Stock,
  settings: Record<string, string> = {},
): Promise<Peer[]> {
  const folder = join(options.folder, label)
  writeVerdaccioStock(join(folder, 'verdaccio'), stock)
  const holdfast = await attempt(options, 'holdfast', () => {
    importStock(join(folder, 'holdfast'), join(folder, 'verdaccio/storage'))
    return startHoldfast(join(folder, 'holdfast'), settings)
  })
  const verdaccio = await attempt(options, 'verdaccio', () => startVerdaccio(join(folder, 'verdaccio')))
  const files = join(folder, 'files')
  const port = await findFreePort()
  await writeStaticFiles(files, `http://127.0.0.1:${port}`, stock, holdfast)
  const nginx = await attempt(options, 'nginx', () => startNginx(join(folder, 'nginx'), files, port))
  const bare = await attempt(options, 'bare', () => startBare(join(folder, 'bare'), files))
  const field = present([holdfast, verdaccio, nginx, bare])
  await Promise.all(field.map(peer => untilAtRest(peer.running)))
  return field
}

/** Ends servers that were started here. */
export async function stopField(peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map(peer => peer.running.stop()))
}
