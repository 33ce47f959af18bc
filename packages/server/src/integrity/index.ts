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
export { explainOtherRun, explainTrigger } from './build-job.ts'
export { type LeafValue, type NewEvent, type StoredEvent, shownBy, touchedBy } from './event.ts'
export { findIndicator } from './indicator-scan.ts'
export {
  checkManifestAgrees,
  defaultInspectLimits,
  type FoundToken,
  type Inspection,
  type InspectLimits,
  inspectTarball,
  servedManifest,
} from './inspect.ts'
export { type LeafDocument, saltDocument } from './leaf-document.ts'
export { nodeCrypto } from './log-crypto.ts'
export { type InsideWords, lookInside, type RecordPlace } from './look-inside.ts'
export { digestManifest } from './manifest-digest.ts'
export { readPackageContent } from './package-content.ts'
export { type PackagePart, readPackageFiles, readPackagePart, type WholeFile } from './package-files.ts'
export {
  type BuildSource,
  explainDowngrade,
  isLowerTrust,
  noTrust,
  type PackageTrust,
  raiseTrust,
  type ShownTrust,
  type TrustLevel,
  trustLevelAt,
  trustLevels,
} from './package-trust.ts'
export {
  type BuildFacts,
  type BundleFacts,
  type ProvenanceFinding,
  verifyBundle,
  verifyProvenance,
} from './provenance.ts'
export { readSlsa, type SlsaLevel } from './slsa.ts'
export { isDeclaredSource, readDeclaredSource } from './source-link.ts'
export { type DiffOutcome, diffTarballs, type TarballPair } from './tarball-diff.ts'
export { scanForTokens } from './token-scan.ts'
