// SPDX-License-Identifier: Apache-2.0
export {
  type AuditLine,
  accountOf,
  csvHead,
  type EventQuery,
  formatCsv,
  formatJsonLine,
  toAuditLine,
} from './audit.ts'
export { type LeafValue, type NewEvent, type StoredEvent, touchedBy } from './event.ts'
export {
  checkManifestAgrees,
  defaultInspectLimits,
  type FoundToken,
  type Inspection,
  type InspectLimits,
  inspectTarball,
  servedManifest,
} from './inspect.ts'
export { type InsideWords, lookInside, type RecordPlace } from './look-inside.ts'
export { digestManifest } from './manifest-digest.ts'
export {
  type BuildFacts,
  type ProvenanceFinding,
  verifyProvenance,
} from './provenance.ts'
export { scanForTokens } from './token-scan.ts'
