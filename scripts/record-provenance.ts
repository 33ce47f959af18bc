// SPDX-License-Identifier: Apache-2.0
/** Makes what the probe of provenance publishes: tarballs with bundles of a Sigstore that is gone when this ends, and its trust root. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { packPackage } from '../packages/server/test/fixture/tarball.ts'
import { openSigstoreBox } from '../packages/server/test/sigstore-box.ts'

const name = 'holdfast-probe-built'
const elsewhere = {
  repository: 'mallory/widget',
  repository_id: '6666',
  repository_owner_id: '66',
  workflow_ref: 'mallory/widget/.github/workflows/publish.yml@refs/heads/main',
  job_workflow_ref: 'mallory/widget/.github/workflows/publish.yml@refs/heads/main',
}

const box = await openSigstoreBox()

async function record(version: string, claims: Readonly<Record<string, string>> = {}) {
  const repository = `github:${claims['repository'] ?? 'acme/widget'}`
  const tarball = packPackage({ name, version, repository })
  const digest = createHash('sha512').update(tarball).digest('hex')
  const bundle = await box.sign({ name, version, digest, claims })
  return { version, repository, tarball: tarball.toString('base64'), bundle }
}

const built = [await record('1.0.0'), await record('1.1.0'), await record('1.2.0', elsewhere)]
const file = new URL('../packages/cli/src/assess/recorded-provenance.json', import.meta.url)
await writeFile(file, `${JSON.stringify({ name, trustedRoot: box.trustedRoot, built }, undefined, 2)}\n`)
