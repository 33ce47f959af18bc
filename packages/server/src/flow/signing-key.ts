// SPDX-License-Identifier: Apache-2.0
/** Rotation of the keys that this registry signs with. Each key that comes or goes is an entry of the log. */
import { setTimeout as pause } from 'node:timers/promises'
import { decodeLeaf, type PackageName } from '@holdfast/core'
import type { PackageVersion } from '../catalog/index.ts'
import { type Actor, authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { signedText } from './own-signature.ts'
import { provePresence } from './presence.ts'

/** Every process has the new key after a second; until then it signs with the former one, which is to vouch for that. */
const npmOverlapMs = 60_000
/** In which everybody who pinned the former key of the log is to hear of the new one. */
const logOverlapMs = 30 * 24 * 3600_000
const heardMs = 2000
const atOnce = 500
const eventsAtOnce = 1000

/** What a rotation did. */
export interface Rotation {
  readonly keyid: string
  readonly former: string
  /** How many versions have a signature of the new key in the place of the former one's. */
  readonly signedAgain: number
}

/**
 * Signs versions with a new key from now on. What was published since `compromisedSince` is signed again, and for that the
 * former key no longer vouches; without it the former one goes on vouching for all that it signed.
 */
export async function rotateNpmKey(
  ports: Ports,
  actor: Actor,
  compromisedSince: number | undefined,
): Promise<Rotation> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const former = ports.signer.keyId
  await ports.signer.rotate(compromisedSince ?? ports.clock() + npmOverlapMs)
  // A crash here: the new key signs, and the next start writes both acts down.
  await recordKeys(ports, actor)
  const { keyId } = ports.signer
  if (compromisedSince === undefined) return { keyid: keyId, former, signedAgain: 0 }
  return { keyid: keyId, former, signedAgain: await signAgain(ports, grant, former, compromisedSince) }
}

/** Signs checkpoints with a new key from now on, and for thirty days with the former one too. */
export async function rotateLogKey(
  ports: Ports,
  actor: Actor,
): Promise<{ readonly vkey: string; readonly former: string; readonly until: number }> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const former = ports.log.vkey
  const until = ports.clock() + logOverlapMs
  await ports.logSigner.rotate(until)
  // A crash here: the new key signs, and the next start writes both acts down.
  await recordKeys(ports, actor)
  return { vkey: ports.log.vkey, former, until }
}

/** Writes down which keys came and went since somebody did: those put into the folder by hand too. */
export async function recordKeys(ports: Ports, actor: Actor): Promise<void> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  const known = new Set<string>()
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const events = await ports.store.events.search({ type: 'key' }, before, eventsAtOnce)
    for (const { leaf } of events) known.add(nameOf(decodeLeaf(leaf ?? '{}')))
    before = events.at(-1)?.position ?? 0
    if (events.length < eventsAtOnce) break
  }
  const missing = describeKeys(ports).filter(fields => !known.has(nameOf(fields)))
  if (missing.length === 0) return
  const events = missing.map((fields): NewEvent => ({ type: 'key', fields }))
  await ports.store.commit(grant, events, async () => {})
}

type KeyFields = {
  readonly op: 'add' | 'retire'
  readonly use: 'npm' | 'log'
  readonly keyid: string
  /** From when it signs no more, where that is later. */
  readonly since?: number
}

function describeKeys({ signer, log }: Ports): readonly KeyFields[] {
  const forVersions = signer.publicKeys.flatMap(({ keyid, expires }): KeyFields[] => {
    const key = { use: 'npm', keyid } as const
    return expires === null
      ? [{ op: 'add', ...key }]
      : [
          { op: 'add', ...key },
          { op: 'retire', ...key },
        ]
  })
  const forLog = log.keys.flatMap(({ id, signsUntil }): KeyFields[] => {
    const key = { use: 'log', keyid: id } as const
    if (signsUntil === null) return [{ op: 'add', ...key }]
    return [
      { op: 'add', ...key },
      { op: 'retire', ...key, since: signsUntil },
    ]
  })
  return [...forVersions, ...forLog]
}

function nameOf({ op, use, keyid }: Readonly<Record<string, unknown>>): string {
  return `${op} ${use} ${keyid}`
}

/** Twice: for a second more another process may sign with the former key. The distrust itself is told even of no version. */
async function signAgain(ports: Ports, grant: Grant, former: string, since: number): Promise<number> {
  const replace = (versions: readonly PackageVersion[]) =>
    replaceSignatures(ports, grant, former, since, versions)
  const found = await signAllAgain(ports, since, replace)
  if (found === 0) await replace([])
  await pause(heardMs)
  return found + (await signAllAgain(ports, since, replace))
}

async function signAllAgain(
  ports: Ports,
  since: number,
  replace: (versions: readonly PackageVersion[]) => Promise<void>,
): Promise<number> {
  let count = 0
  let found: PackageVersion[] = []
  for await (const version of listSignedSince(ports, since)) {
    count += 1
    found.push(version)
    if (found.length < atOnce) continue
    await replace(found)
    found = []
  }
  if (found.length > 0) await replace(found)
  return count
}

/** Versions published since then that another key than the present one signed. */
async function* listSignedSince(ports: Ports, since: number): AsyncIterable<PackageVersion> {
  const { catalog } = ports.store
  for (let names = await catalog.listNames('', atOnce); names.length > 0; ) {
    for (const name of names)
      for await (const versions of catalog.versions(name))
        yield* versions.filter(each => each.publishedAt >= since && !isSignedBy(each, ports.signer.keyId))
    names = await catalog.listNames(names.at(-1) ?? '', atOnce)
  }
}

function isSignedBy({ signatures }: PackageVersion, keyId: string): boolean {
  const all: readonly { readonly keyid: string }[] = JSON.parse(signatures)
  return all.length > 0 && all.every(({ keyid }) => keyid === keyId)
}

/** What is signed is our own record, which the log has; nothing that the former key signed is believed for it. */
async function replaceSignatures(
  ports: Ports,
  grant: Grant,
  former: string,
  since: number,
  versions: readonly PackageVersion[],
): Promise<void> {
  const { signer, store, clock } = ports
  const names = new Set<PackageName>(versions.map(each => each.package))
  const made = await signer.signAll(versions.map(each => signedText(each.package, each.version, each.digest)))
  const event: NewEvent = {
    type: 'key',
    fields: { op: 'distrust', use: 'npm', keyid: former, since },
    detail: { versions: versions.length },
  }
  await store.commit(grant, event, async tx => {
    for (const [at, { package: name, version }] of versions.entries())
      await tx.catalog.setSignatures(name, version, JSON.stringify([{ keyid: signer.keyId, sig: made[at] }]))
    for (const name of names) await tx.catalog.touch(name, clock())
  })
}
