// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { makePackument, tarballName } from '../corpus.ts'
import { get } from '../http.ts'
import type { Peer, Stock } from './peer.ts'

/** Writes what a static mirror at `origin` serves: the very bytes of `source` where it runs, else a document made here. */
export async function writeStaticFiles(
  root: string,
  origin: string,
  stock: Stock,
  source: Peer | undefined,
): Promise<void> {
  mkdirSync(root, { recursive: true })
  writeDocument(join(root, 'ready.json'), Buffer.from('{}'))
  for (const [name, releases] of stock) {
    const folder = join(root, name)
    mkdirSync(join(folder, '-'), { recursive: true })
    for (const release of releases)
      writeFileSync(join(folder, '-', tarballName(name, release.version)), release.tarball)
    const made = () => Buffer.from(JSON.stringify(makePackument(origin, releases)))
    writeDocument(join(folder, 'index.json'), source ? await copyDocument(source, origin, name) : made())
  }
}

async function copyDocument(source: Peer, origin: string, name: string): Promise<Buffer> {
  const answer = await get(source.packumentUrl(name), { 'accept-encoding': 'identity' })
  if (answer.status !== 200) throw new Error(`${source.name} has no ${name}: ${answer.status}`)
  return Buffer.from(answer.body.toString('utf8').replaceAll(source.registry, origin))
}

function writeDocument(path: string, body: Buffer): void {
  writeFileSync(path, body)
  writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
}
