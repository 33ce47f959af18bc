// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { tarballName } from '../corpus.ts'
import { findFreePort, start, waitForLine } from '../process.ts'
import type { Peer, Stock } from './peer.ts'
import { writeStaticFiles } from './static-files.ts'

const program = join(import.meta.dirname, 'upstream-process.ts')

/**
 * A registry for others to stand before, which answers after `delayMs`; in the table it takes the place of the bare server.
 * Its folder can be served by nginx too. Of `bench-copy-00` it has as many `copies`, each under its own name.
 */
export async function startUpstream(
  folder: string,
  stock: Stock,
  delayMs: number,
  copies = 0,
): Promise<Peer> {
  const files = join(folder, 'files')
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  await writeStaticFiles(files, origin, stock, undefined)
  const running = start({
    run: [process.execPath, program, files, String(delayMs), String(port), String(copies)],
    folder,
  })
  await waitForLine(running, /^listening on (\S+)/m)
  return {
    name: 'bare',
    running,
    registry: origin,
    token: undefined,
    readyMs: performance.now() - running.startedAt,
    packumentUrl: name => `${origin}/${name.replace('/', '%2f')}`,
    tarballUrl: (name, version) => `${origin}/${name}/-/${tarballName(name, version)}`,
  }
}

/** What makes Holdfast take everything from an upstream. */
export function throughHoldfast(upstream: Peer): Record<string, string> {
  return {
    HOLDFAST_ORIGINS: JSON.stringify({ upstream: upstream.registry }),
    HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
  }
}
