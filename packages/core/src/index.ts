// SPDX-License-Identifier: Apache-2.0
/** The words server and command line share. Pure: no I/O, no dependencies, runs in a browser. */
export { decodeLeaf, encodeCanonical, encodeLeaf } from './canonical-json.ts'
export type {
  Capability,
  CapabilityHome,
  CapabilityId,
  CapabilityLevel,
  CapabilityTrack,
  TaxonomyQuestion,
} from './capability.ts'
export { capabilities, frameworkVersion, isApplicable, taxonomy } from './capability.ts'
export { readDependencyRange } from './dependency-range.ts'
export type { Digest } from './digest.ts'
export { formatIntegrity, isShasum, parseDigest, parseIntegrity } from './digest.ts'
export type { DistTag } from './dist-tag.ts'
export { parseDistTag } from './dist-tag.ts'
export {
  drillKey,
  drillLogin,
  drillOrigin,
  drillScope,
  drillUpstreamScope,
  isDrillLogin,
  isDrillName,
  looksLikeDrill,
} from './drill.ts'
export type { EventAudience, EventRow, EventType, ReasonCode } from './event.ts'
export { eventTable, findLeafFault, reasonCodes } from './event.ts'
export { revealHidden } from './hidden.ts'
export type { MayRepeat } from './json.ts'
export { parseJson } from './json.ts'
export type { FieldKind, LeafFields } from './leaf-field.ts'
export type { DiffLine, Hunk } from './line-diff.ts'
export { diffLines } from './line-diff.ts'
export type { Block, BlockMap } from './lock/block-text.ts'
export { mapAt, readBlocks, wordAt } from './lock/block-text.ts'
export type {
  LockGraph,
  LockManager,
  LockNeed,
  LockNode,
  LockRoot,
  LockSource,
  NeedKind,
  ProjectManifest,
} from './lock/graph.ts'
export { listMissing } from './lock/missing.ts'
export type { IsExpected, Stray } from './lock/stray.ts'
export { findStrays } from './lock/stray.ts'
export type { LockScope } from './lock/walk.ts'
export { pathsOf, scopesOf } from './lock/walk.ts'
export type { LockEntry, LockedVersion } from './lock-file.ts'
export { listLocked, readLockFile, readLockGraph } from './lock-file.ts'
export type { DiffFinding, FindingKind } from './manifest-diff.ts'
export { describeFinding } from './manifest-diff.ts'
export type { NamePattern } from './name-pattern.ts'
export { matchesName, parseNamePattern } from './name-pattern.ts'
export { findNearestWord } from './nearest-word.ts'
export type { PackList } from './pack-list.ts'
export { formatPackList, isPackFile, packListName, parsePackList } from './pack-list.ts'
export type { FileBody, FileDiff, PackageContent, PackageDiff, PackageFile } from './package-diff.ts'
export { diffPackages, maxComparedBytes } from './package-diff.ts'
export type { PackageName } from './package-name.ts'
export {
  basenameOf,
  checkNewPackageName,
  confusableKey,
  formatPurl,
  isPackageName,
  parsePackageName,
  scopeOf,
  tarballFileName,
} from './package-name.ts'
export type { ProblemData } from './problem.ts'
export { excerpt, isProblem, Problem, problem } from './problem.ts'
export type { ProblemCode, ProblemRow } from './problem-table.ts'
export { problemTable } from './problem-table.ts'
export { formatPublishBody, type PackedTarball, packTar } from './sample-package.ts'
export {
  formatSecurityText,
  isSecurityContact,
  parseSecurityText,
  type SecurityText,
} from './security-text.ts'
export type { Status, StatusRow } from './status.ts'
export { statusTable } from './status.ts'
export { decodeBase64, encodeBase64, encodeHex } from './tlog/bytes.ts'
export type { Checkpoint } from './tlog/checkpoint.ts'
export { formatCheckpoint, parseCheckpoint } from './tlog/checkpoint.ts'
export { cosignedMessage, readCosignatureTime } from './tlog/cosignature.ts'
export type { Frontier } from './tlog/frontier.ts'
export { emptyFrontier, extendFrontier, rootOf } from './tlog/frontier.ts'
export type { ChainEnd, ChainLink, Leaf } from './tlog/leaf.ts'
export { checkChain, extendChain, readLeaf } from './tlog/leaf.ts'
export type { LogCrypto } from './tlog/log-crypto.ts'
export { webCrypto } from './tlog/log-crypto.ts'
export type { LoggedVersion } from './tlog/logged-version.ts'
export { proveVersion } from './tlog/logged-version.ts'
export type { ConsistencyClaim, InclusionClaim } from './tlog/merkle.ts'
export {
  emptyRoot,
  hashLeaf,
  hashNode,
  verifyConsistency,
  verifyInclusion,
} from './tlog/merkle.ts'
export type { Note, NoteSignature, VerifierKey } from './tlog/note.ts'
export {
  formatNote,
  formatSignature,
  formatVerifierKey,
  keyType,
  makeVerifierKey,
  parseNote,
  parseVerifierKey,
  verifyNote,
} from './tlog/note.ts'
export type { Replay, ReplayedPackage, ReplayedVersion } from './tlog/replay.ts'
export { replayLeaves } from './tlog/replay.ts'
export type { GateDocument, GateRows, ReplayedGate } from './tlog/replay-gate.ts'
export { compareGate, describePublisher, describeTrust, replayGate } from './tlog/replay-gate.ts'
export type { BundleAddress, FoldedTiles, ReadTile, TileAddress } from './tlog/tile.ts'
export {
  decodeBundle,
  encodeBundle,
  formatTilePath,
  listNewTiles,
  openFoldedTiles,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  proveInclusions,
  rootFromTiles,
  splitHashes,
  tileOf,
} from './tlog/tile.ts'
export type { LogProof } from './tlog/tlog-proof.ts'
export { formatLogProof, parseLogProof } from './tlog/tlog-proof.ts'
export type { PolicyLog, PolicyWitness, WitnessPolicy } from './tlog/witness-policy.ts'
export { parseWitnessPolicy } from './tlog/witness-policy.ts'
export type { WitnessRequest } from './tlog/witness-request.ts'
export { formatWitnessRequest, parseWitnessRequest } from './tlog/witness-request.ts'
export {
  instanceOfToken,
  isToken,
  tokenChecksum,
  tokenLength,
  tokenPattern,
  tokenPrefix,
} from './token-form.ts'
export type { TokenRule } from './token-rule.ts'
export { tokenRules } from './token-rule.ts'
export type { Version } from './version.ts'
export { compareVersions, isPrerelease, newestVersion, parseVersion } from './version.ts'
export type { VersionRange } from './version-range.ts'
export { maxRangeLength, readVersionRange } from './version-range.ts'
