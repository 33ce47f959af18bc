// SPDX-License-Identifier: Apache-2.0
/** `npm audit signatures` and `pnpm audit signatures` as they are, while the registry's keys rotate and after one was stolen. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openSigstoreBox, publicAuthority } from '../sigstore-box.ts'
import { type Ci, startCi } from './ci.ts'
import { type Desk, openDesk } from './client.ts'
import { passes } from './expect.ts'
import { type Registry, startRegistry } from './registry.ts'
import { openSigstoreHost, type SigstoreHost } from './sigstore-host.ts'

let ci: Ci
let sigstore: SigstoreHost
let registry: Registry
let token: string
let desks: readonly Desk[]
const names: string[] = []

before(async () => {
  // npm looks for keys in Sigstore's public mirror first, and ends where that is not there.
  const [started, box] = await Promise.all([startCi(), openSigstoreBox(publicAuthority)])
  ci = started
  sigstore = await openSigstoreHost(box, ci.issuer)
  registry = await startRegistry()
  token = await registry.token('pia')
  desks = [await openDesk('npm', registry.npm), await openDesk('pnpm', registry.npm)]
})
after(async () => {
  for (const desk of desks ?? []) await desk.remove()
  await registry?.stop()
  await sigstore?.close()
  await ci?.close()
})

async function publish(name: string): Promise<void> {
  await registry.publish({ name, version: '1.0.0' }, token)
  names.push(name)
}

/** Both install everything that was published so far, anew, and check its signatures. */
async function auditAll(folder: string): Promise<void> {
  const dependencies = Object.fromEntries(names.map(name => [name, '1.0.0']))
  for (const desk of desks) {
    await sigstore.trustIn(desk.home)
    const env = await sigstore.env(desk.home)
    await desk.folder(folder, { name: 'user', version: '1.0.0', dependencies })
    passes(await desk.run(folder, ['install']))
    const { text } = passes(await desk.run(folder, ['audit', 'signatures'], { env }))
    const many = names.length === 1 ? '1 package has a' : `${names.length} packages have`
    assert.match(text, new RegExp(`${many} verified registry signature`), text)
  }
}

async function rotate(...more: string[]): Promise<void> {
  const keys = async () => (await registry.call('/-/npm/v1/keys')).json() as Promise<{ keys: unknown[] }>
  const before = (await keys()).keys.length
  await registry.operate('keys', 'rotate', '--use', 'npm', ...more)
  await registry.until('/-/npm/v1/keys', async answer => (await answer.json()).keys.length === before + 1)
}

test('npm and pnpm verify what two keys signed, before and after a rotation', async () => {
  await publish('signed-first')
  await auditAll('first')
  await rotate()
  await publish('signed-next')
  await auditAll('next')
})

test('after a theft they verify what came before it and what was signed again', async () => {
  const since = new Date().toISOString()
  await publish('signed-by-thief')
  await auditAll('unaware')
  await rotate('--compromised-since', since)
  await publish('signed-after')
  await auditAll('after')
})
