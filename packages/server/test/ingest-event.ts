// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity } from '@holdfast/core'
import type { Ingested } from '../src/catalog/index.ts'
import type { NewEvent } from '../src/integrity/index.ts'

/** The event of bytes that came in, as the intake writes it. */
export function ingestEvent(made: Ingested): NewEvent {
  const dist = { integrity: formatIntegrity(made.digest), size: made.sizeBytes }
  const fields = { upstream: made.origin, dist, signature: 'no-keys' }
  return { type: 'ingest', pkg: made.package, ver: made.version, fields }
}
