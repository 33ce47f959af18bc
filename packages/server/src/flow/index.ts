// SPDX-License-Identifier: Apache-2.0
export { type Applicant, checkPassword, ensureAccount, proveOwner, signUp } from './account.ts'
export { type Deletion, deleteAccount, planDeletion } from './account-end.ts'
export {
  addAddress,
  listOwnAddresses,
  removeAddress,
  resendVerification,
  setPrimaryAddress,
} from './address.ts'
export { type Advised, type Asked, adviseOn } from './advice.ts'
export { addAdvisories, type Taken, takeAdvisories } from './advisory.ts'
export { acceptWaiting, listWaiting, refuseWaiting } from './advisory-breaker.ts'
export { followAdvisories } from './advisory-feed.ts'
export {
  type AdvisoryPage,
  type AdvisoryQuery,
  listAllAdvisories,
  listNewestAdvisories,
  queryAdvisories,
  readAdvisories,
  readAdvisory,
} from './advisory-reading.ts'
export {
  findAdvisory,
  listPackageAdvisories,
  listShownAdvisories,
  type ShownAdvisory,
} from './advisory-view.ts'
export {
  adviseMalware,
  clearMalware,
  listOwnAdvisories,
  type MalwareFound,
  publishAdvisory,
  updateAdvisory,
  withdrawAdvisory,
} from './advisory-writing.ts'
export { announce, announceMore, listAnnouncements } from './announcement.ts'
export type { Arrival, Told } from './arrival.ts'
export { findLastAssessment, keepAssessment } from './assessment.ts'
export { type AuditPage, type AuditWish, exportAudit, loginsOf, readAudit } from './audit.ts'
export { auditPushLateMs, pushAudit, readAuditPush } from './audit-push.ts'
export { type BlastRadius, type Dependent, exportBlast, readBlast } from './blast.ts'
export { listOwnLetters, setLetterDone, tellHolders } from './blast-letter.ts'
export { keepWithinQuota } from './cache-quota.ts'
export { type CaseDraft, listCases, openCase, readCase } from './case.ts'
export {
  adviseFromCase,
  readSubmission,
  type Submission,
  withdrawFromCase,
} from './case-advisory.ts'
export { closeCase, dismissReport } from './case-close.ts'
export {
  addReader,
  exchangeReadToken,
  listReaders,
  type ReaderRequest,
  removeReader,
} from './ci-reader.ts'
export { criticalNoticeMs, markCritical, recomputeCritical, unmarkCritical } from './critical.ts'
export { type Need, readTree, type TreeHit, type TreeNode, type TreeReading } from './dependency-tree.ts'
export { deprecate } from './deprecate.ts'
export { ageDownloads, downloadLife } from './download-life.ts'
export {
  beginDrill,
  type DrillWish,
  keepDrilling,
  listDrills,
  parseDrillWish,
  playWaitingDrill,
  readDrill,
  readLastDrill,
  stopDrill,
} from './drill.ts'
export { drillUpstreamPath, readDrillPackument, readDrillTarball } from './drill-upstream.ts'
export { explainProvenance, findLowered, type ProvenanceWords } from './explain-provenance.ts'
export { listExposed } from './exposure.ts'
export { type FeedState, listFeedStates, sayWhatIsMissing } from './feed-state.ts'
export { readGate } from './gate-audit.ts'
export {
  decideHold,
  type HoldAnswer,
  type HoldView,
  listHolds,
  readHold,
} from './hold.ts'
export {
  type HoldLateness,
  holdEscalationMs,
  holdTargetMs,
  latenessOf,
  remindOfHolds,
} from './hold-clock.ts'
export {
  addHook,
  deliverHooks,
  type HookWithLog,
  listOwnHooks,
  removeHook,
  renewHookSecret,
} from './hook.ts'
export { checkRoutes, hostNames, unhostNames } from './host.ts'
export { type ImportOutcome, type ImportWishes, importVersions } from './import.ts'
export {
  actOnIncident,
  type IncidentAct,
  type ListedIncident,
  listIncidents,
  openByHand,
  parseSubject,
  readIncident,
} from './incident.ts'
export {
  noteDownload,
  openTarball,
  readDocument,
  readVersion,
  type TarballFlow,
  type TarballGrant,
} from './install.ts'
export { openIntake } from './intake.ts'
export { acceptInvitation, invite, readInvitation, setUpLink } from './invitation.ts'
export { type Invitee, type InviteOutcome, inviteMany, parseInvitees } from './invite-many.ts'
export { describeJob } from './job.ts'
export { exchangeJobToken } from './job-token.ts'
export { eraseLeafDocument } from './leaf-document.ts'
export { type Leak, maxLeaks, revokeLeaked, revokePosted } from './leak.ts'
export { noteLeak } from './leaked-password.ts'
export { disableUser, enableUser, type Reach, readReach, type Transfer, transferUser } from './leaver.ts'
export { type ClosedSubject, letGo } from './let-go.ts'
export { answerMiss, takeTurn } from './limit.ts'
export { keepLocked, type LockedVerdict, previewLocked } from './lock.ts'
export { openLog, type RunningLog } from './log.ts'
export {
  type LogLine,
  type LogPage,
  listActorEntries,
  listCheckpoints,
  listLogEntries,
  listPackageEntries,
  type PastCheckpoint,
  toLogLine,
} from './log-list.ts'
export { type Protected, protectAgain } from './log-protect.ts'
export {
  checkMayReadHashes,
  checkMayReadWholeLog,
  proveId,
  proveIndex,
  proveVersion,
  proveVersions,
  readPackageLog,
  readPackageLogs,
  type WantedProof,
} from './log-reading.ts'
export { type RecoveredEntry, recoverLog } from './log-recover.ts'
export type { LogWorks } from './log-round.ts'
export { formatPolicy, formatTrust } from './log-trust.ts'
export {
  type ApprovalProof,
  beginLogin,
  denyApproval,
  findApprovalForPage,
  grantApproval,
  isApprovedByCode,
  isElsewhere,
  loginByPassword,
  type Poll,
  pollApproval,
} from './login.ts'
export { openLookAlikes } from './look-alike.ts'
export {
  checkMailDomains,
  type LapsedAddress,
  listAbandonedDomains,
  listLapsed,
  sayLapse,
} from './mail-domain.ts'
export { installFields } from './manifest.ts'
export {
  confirmMeasure,
  contain,
  type Draft,
  freezeOwn,
  type ListedMeasure,
  lapseMeasures,
  listFreezes,
  listMeasures,
  type OwnFreeze,
  type Preview,
  parseDraft,
  previewMeasure,
  readSwitches,
  undoMeasure,
} from './measure.ts'
export { findCritical, graceEnd } from './mfa-rule.ts'
export { openMirrors } from './mirror.ts'
export {
  askTransfer,
  finishTransfers,
  listTransfers,
  readTransfer,
  stepTransfer,
  type TransferAct,
} from './name-transfer.ts'
export { listPackageNews, listPublisherNews, type NewsPage, readNews, type Sight, sightOf } from './news.ts'
export {
  createOrg,
  createTeam,
  listMembers,
  listPackagesOfOrg,
  listTeamGrants,
  listTeamMembers,
  listTeams,
  removeMember,
  removeTeam,
  setMember,
  setTeamGrant,
  setTeamMember,
} from './organise.ts'
export { exportOwnDownloads, forgetOwnDownloads, listOwnDownloads } from './own-download.ts'
export { signMirror } from './own-signature.ts'
export { addSource, holdLevel, listIssuers, lowerTrust, readTrust, removeSource } from './package-trust.ts'
export {
  beginPasskey,
  beginSignUp,
  countOwnRecoveryCodes,
  finishPasskey,
  listOwnPasskeys,
  removePasskey,
  removePassword,
  renamePasskey,
} from './passkey.ts'
export {
  accountOfChallenge,
  findPasskeyPlace,
  type PasskeyAnswer,
  type PasskeyPlace,
  type PasskeyWish,
} from './passkey-challenge.ts'
export {
  beginPasskeyApproval,
  beginPasskeyConfirm,
  beginPasskeySignIn,
  confirmByPasskey,
  signInByPasskey,
} from './passkey-sign-in.ts'
export {
  type AccessChange,
  addOwner,
  changeAccess,
  listPackagesOfUser,
  listPeople,
  type Rights,
  readAccess,
  removeOwner,
  setOwners,
} from './people.ts'
export { listPlaybooks } from './playbook.ts'
export {
  applyPolicy,
  type Hidden,
  listRefused,
  maxGlanced,
  type PolicyPreview,
  previewPolicy,
  type Refused,
  rulesWithMode,
  setRuleMode,
} from './policy.ts'
export {
  editPolicyPage,
  listPolicyChanges,
  policyFacts,
  readFilledPolicy,
  readPolicyPage,
  type ShownPolicy,
  securityTextOf,
} from './policy-page.ts'
export { provePresence } from './presence.ts'
export { askUpstreams, followNames, nameCursor } from './private-name.ts'
export {
  beginTfa,
  changePassword,
  changeProfile,
  disableTfa,
  finishTfa,
  readAccount,
  renewRecoveryCodes,
  tfaState,
} from './profile.ts'
export { type LockSubmission, listOwners, listOwnLocks, removeLock, submitLock } from './project-lock.ts'
export { tellProjects } from './project-notice.ts'
export { listAllRisks, listOwnRisks, type Risk, type RiskList, type ShownUse } from './project-risk.ts'
export { readAttestations, settleProvenance } from './provenance.ts'
export { admit, type Published, publish, type Upload } from './publish.ts'
export { reconcile } from './reconcile.ts'
export { askRecovery, type BegunRecovery, beginRecovery, readRecoveryLink } from './recovery.ts'
export {
  cancelOwnRecoveries,
  cancelRecovery,
  finishRecovery,
  listOwnRecoveries,
  readRecovery,
} from './recovery-end.ts'
export {
  confirmRecovery,
  listRecoveries,
  proposeRecovery,
  recoverAtMachine,
} from './recovery-staff.ts'
export { arriveFromRegistry, listRegistryNames, type OldRegistry } from './registry-arrival.ts'
export {
  confirmReport,
  describeSubject,
  listCaseReports,
  listReporters,
  makeReport,
  markReporter,
  type NamedReporter,
  type Reported,
  readReportLink,
} from './report.ts'
export { type RescanProgress, readRescan, rescreen } from './rescreen.ts'
export { type Measure, takeMeasure } from './respond.ts'
export { listReviews, remindOfReview, setReview } from './review.ts'
export { type Means, parseRevocation, previewRevocation, type RevokeQuery, revokeMeans } from './revoke.ts'
export { listOwnersAtRisk, type OwnersAtRisk } from './risk.ts'
export {
  addRobot,
  addRobotToken,
  listRobots,
  type RobotTokenRequest,
  type RobotWithTokens,
  removeRobot,
} from './robot.ts'
export { type PackageAccess, readPackageAccess, setInstanceRoles, setPackageRole } from './role.ts'
export { expectScreening, listFaultyRules } from './screen.ts'
export { listNewest, searchPackages } from './search.ts'
export {
  confirmPresence,
  endSession,
  listOwnSessions,
  type NewSession,
  type SignIn,
  signIn,
  signOut,
  startSession,
} from './session.ts'
export { type Rotation, recordKeys, rotateLogKey, rotateNpmKey } from './signing-key.ts'
export { recheckSources } from './source-link.ts'
export {
  getStaged,
  listStaged,
  openForStage,
  openStaged,
  type StageView,
  stagePath,
  stageVersion,
} from './stage.ts'
export { approveStaged, expireStaged, rejectStaged, type StageOutcome } from './stage-decision.ts'
export { reviewStaged, type StageReview } from './stage-review.ts'
export { listStars, star } from './star.ts'
export { readTags, removeTag, setTag } from './tag.ts'
export { followUpstream } from './takedown.ts'
export {
  createToken,
  listOwnTokens,
  type NewToken,
  revokeToken,
  signOutToken,
  type TokenRequest,
} from './token.ts'
export { tellOfEndingTokens } from './token-notice.ts'
export { readTransparency, reportPeriods, type TransparencyLine } from './transparency.ts'
export {
  addPublisher,
  describePublisher,
  listPublishers,
  type PublisherRequest,
  removePublisher,
} from './trust.ts'
export {
  type Remainder,
  unpublishLimits,
  unpublishMissing,
  unpublishPackage,
  unpublishVersion,
} from './unpublish.ts'
export { verifyEmail } from './verification.ts'
export { type Happening, listHappenings } from './version-history.ts'
export {
  currentPolicy,
  findKept,
  listFacts,
  type PackageView,
  type Viewing,
  viewPackage,
  viewUnder,
  viewVersion,
  viewWith,
} from './view.ts'
export {
  askWaiver,
  decideWaiver,
  listWaivers,
  type NamedWaiver,
  tellOfEndingWaivers,
  type Verdict,
} from './waiver.ts'
export {
  listOwnWatches,
  type NamedWatch,
  noteForWatchers,
  readerOf,
  readStopKey,
  setDigest,
  stopLetters,
  stopLink,
  tellWatchers,
  unwatch,
  watch,
} from './watch.ts'
export { tellWebhook } from './webhook.ts'
export { type Explanation, explainVersion, fetchAct } from './why.ts'
