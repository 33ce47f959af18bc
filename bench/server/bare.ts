// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tarballName } from '../corpus.ts'
import { start, waitForAnswer, waitForLine } from '../process.ts'
import type { Peer } from './peer.ts'

const program = join(import.meta.dirname, 'bare-process.ts')

/** A `node:http` server that answers from memory with the files of a folder and does nothing else. */
export async function startBare(folder: string, files: string): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const running = start({ run: [process.execPath, program, files], folder })
  const origin = await waitForLine(running, /^listening on (\S+)/m)
  const readyMs = await waitForAnswer(running, `${origin}/static/ready.json`)
  return { name: 'bare', running, token: undefined, readyMs, ...staticUrls(origin) }
}

/** Where a static server keeps documents and tarballs. */
export function staticUrls(origin: string): Pick<Peer, 'registry' | 'packumentUrl' | 'tarballUrl'> {
  return {
    registry: origin,
    packumentUrl: name => `${origin}/static/${name}/index.json`,
    tarballUrl: (name, version) => `${origin}/static/${name}/-/${tarballName(name, version)}`,
  }
}
