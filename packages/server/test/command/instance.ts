// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, type DistTag, parseNamePattern, parsePackageName, parseVersion } from '@holdfast/core'
import { hostNames, publish } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import type { Ports } from '../../src/main.ts'
import { packPackage } from '../fixture/tarball.ts'
import { freshPath, withPorts } from './command-line.ts'

/** Publishes a small package as the operator. */
export async function publishOne(ports: Ports, name: string, version: string): Promise<Digest> {
  const manifest = { name, version }
  const tarball = await ports.blobs.begin()
  await tarball.write(packPackage(manifest, { 'index.js': `'${name} ${version}'` }))
  const done = await publish(ports, operator, {
    name: parsePackageName(name),
    version: parseVersion(version),
    tag: 'latest' as DistTag,
    access: undefined,
    manifest,
    readme: undefined,
    integrity: '',
    shasum: '',
    tarball,
  })
  return done.digest
}

/** An instance with three versions of one package. */
export async function makeInstance(): Promise<{ data: string; digests: Digest[] }> {
  const data = freshPath()
  const digests = await withPorts(data, async ({ ports }) => {
    await hostNames(ports, operator, [parseNamePattern('@acme/*')])
    return Promise.all(['1.0.0', '1.1.0', '1.2.0'].map(version => publishOne(ports, '@acme/widget', version)))
  })
  return { data, digests }
}

/** Where a blob lies in an instance or a backup. */
export function blobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs/sha512', digest.slice(0, 2), digest.slice(2))
}

/** Changes one bit in the middle of a file. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  await writeFile(path, bytes)
}
