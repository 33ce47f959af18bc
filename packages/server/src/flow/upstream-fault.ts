// SPDX-License-Identifier: Apache-2.0
/** What an upstream did wrong, on record; and by whose word what comes from it is written down. */
import {
  type Digest,
  decodeLeaf,
  formatIntegrity,
  isProblem,
  type PackageName,
  type Problem,
  type Version,
} from '@holdfast/core'
import type { Ingested, OriginName } from '../catalog/index.ts'
import { authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'

/** The instance's own grant to write down what came from its upstreams. */
export function grantIngest(ports: Pick<Ports, 'config' | 'store'>): Promise<Grant> {
  return authorize(ports, { kind: 'system', id: 'upstream' }, 'package:ingest', '')
}

/** Whether an upstream did what is no trouble of the moment, and whoever watches is to be told. */
export function isDisbelieved(error: unknown): error is Problem {
  return isProblem(error) && error.data['fault'] === 'disbelieved'
}

/** A fault of an upstream about a package, or about one version of it. */
export function faultOf(
  origin: OriginName,
  pkg: PackageName,
  ver: Version | undefined,
  why: string,
): NewEvent {
  return { type: 'upstream-fault', pkg, ...(ver === undefined ? {} : { ver }), detail: { origin, why } }
}

/** The alarm that an upstream gave a version a second digest; `now` is missing where it told none that counts. */
export function changedEvent(held: Ingested, upstream: OriginName, now: Digest | undefined): NewEvent {
  const digests = {
    first: formatIntegrity(held.digest),
    ...(now === undefined ? {} : { now: formatIntegrity(now) }),
  }
  return {
    type: 'upstream-changed',
    pkg: held.package,
    ver: held.version,
    fields: { upstream, ...digests },
  }
}

/** Writes the alarm down, once for each digest: who asks for the version again and again must not fill the log. */
export async function alarm(
  ports: Pick<Ports, 'config' | 'store'>,
  { package: name, version, origin, digest }: Pick<Ingested, 'package' | 'version' | 'origin' | 'digest'>,
): Promise<void> {
  const held = await ports.store.mirrors.findIngested(name, version)
  if (held === undefined || held.digest === digest) return
  const event = changedEvent(held, origin, digest)
  const told = (await ports.store.events.ofPackage(name)).some(
    ({ type, ver, leaf }) =>
      type === event.type && ver === version && decodeLeaf(leaf ?? '{}')['now'] === formatIntegrity(digest),
  )
  if (!told) await recordFaults(ports, [event])
}

/** Puts faults on record that change nothing else. */
export async function recordFaults(
  ports: Pick<Ports, 'config' | 'store'>,
  faults: readonly NewEvent[],
): Promise<void> {
  await ports.store.commit(await grantIngest(ports), faults, async () => {})
}
