// SPDX-License-Identifier: Apache-2.0
/** What an upstream did wrong, on record; and by whose word what comes from it is written down. */
import type { PackageName, Version } from '@holdfast/core'
import type { OriginName } from '../catalog/index.ts'
import { authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'

/** The instance's own grant to write down what came from its upstreams. */
export function grantIngest(ports: Pick<Ports, 'config' | 'store'>): Promise<Grant> {
  return authorize(ports, { kind: 'system', id: 'upstream' }, 'package:ingest', '')
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

/** Puts faults on record that change nothing else. */
export async function recordFaults(
  ports: Pick<Ports, 'config' | 'store'>,
  faults: readonly NewEvent[],
): Promise<void> {
  await ports.store.commit(await grantIngest(ports), faults, async () => {})
}
