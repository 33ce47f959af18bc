// SPDX-License-Identifier: Apache-2.0
import type { Hono } from 'hono'
import type { WebEnv } from './context.ts'
import {
  accountPage,
  passwordPage,
  passwordSubmit,
  profileSubmit,
  sessionsPage,
  sessionsSubmit,
} from './page/account.ts'
import { accountEndPage, accountEndSubmit } from './page/account-end.ts'
import { addressesPage, addressesSubmit } from './page/address.ts'
import { advisoriesPage, advisoryPage } from './page/advisory.ts'
import { approvalPage, approvalSubmit } from './page/approval.ts'
import { confirmPage, confirmSubmit } from './page/confirm.ts'
import { exposurePage, exposureSubmit, operateExposurePage } from './page/exposure.ts'
import { homePage } from './page/home.ts'
import { hooksPage, hooksSubmit } from './page/hook.ts'
import { logPage } from './page/log.ts'
import { logCheckpointsPage } from './page/log-checkpoint.ts'
import { logEntryPage } from './page/log-entry.ts'
import { machinesPage, machinesSubmit } from './page/machine.ts'
import { mailPage, namesPage, namesSubmit, operatePage } from './page/operate.ts'
import { operateAdvisoriesPage, operateAdvisoriesSubmit } from './page/operate-advisory.ts'
import {
  advisoryNewPage,
  advisoryNewSubmit,
  advisoryOwnPage,
  advisoryOwnSubmit,
} from './page/operate-advisory-write.ts'
import { auditExport, auditPage } from './page/operate-audit.ts'
import { blastExport, blastPage, blastSubmit } from './page/operate-blast.ts'
import {
  casePage,
  caseRecord,
  caseSubmission,
  caseSubmit,
  casesPage,
  casesSubmit,
} from './page/operate-case.ts'
import { drillPage, drillSubmit, drillsPage, drillsSubmit } from './page/operate-drill.ts'
import { holdPage, holdSubmit, holdsPage } from './page/operate-hold.ts'
import { measuresPage, measuresSubmit } from './page/operate-measure.ts'
import { cachedPage, originsPage } from './page/operate-origin.ts'
import { criticalPage, criticalSubmit, riskPage } from './page/operate-package.ts'
import { editedPagesPage, editPage, editSubmit } from './page/operate-page.ts'
import { peoplePage, peopleSubmit } from './page/operate-people.ts'
import { personPage, personSubmit } from './page/operate-person.ts'
import { policyPage, policySubmit } from './page/operate-policy.ts'
import { staffRecoveryPage, staffRecoverySubmit } from './page/operate-recovery.ts'
import { reportersPage, reportersSubmit } from './page/operate-reporter.ts'
import { operateReviewsPage, operateReviewsSubmit } from './page/operate-review.ts'
import { waiversPage, waiversSubmit } from './page/operate-waiver.ts'
import { webhooksPage } from './page/operate-webhook.ts'
import { orgPage, orgSubmit, orgsPage, orgsSubmit } from './page/org.ts'
import { ownDownloadsExport, ownDownloadsPage, ownDownloadsSubmit } from './page/own-download.ts'
import { packagePage } from './page/package.ts'
import { packageAccessPage, packageAccessSubmit } from './page/package-access.ts'
import { freezePage, freezeSubmit } from './page/package-freeze.ts'
import { policiesPage, policyHistoryPage, policyTextPage } from './page/policy.ts'
import { keptAssessment, publicSecurityPage } from './page/public-security.ts'
import { publisherStartPage, publishersPage, publishersSubmit } from './page/publisher.ts'
import {
  askRecoveryPage,
  askRecoverySubmit,
  cancelOwnRecoverySubmit,
  cancelRecoveryPage,
  cancelRecoverySubmit,
  recoveryLinkPage,
  recoveryLinkSubmit,
  recoveryPage,
  recoverySubmit,
} from './page/recovery.ts'
import { reportLinkPage, reportLinkSubmit, reportPage, reportSubmit } from './page/report.ts'
import { reviewsPage } from './page/review.ts'
import { revokeTokenPage, revokeTokenSubmit } from './page/revoke-token.ts'
import { searchPage } from './page/search.ts'
import { secondFactorPage, secondFactorSubmit } from './page/second-factor.ts'
import { newPasskeyPage, newPasskeySubmit, securityPage, securitySubmit } from './page/security.ts'
import { securityText } from './page/security-text.ts'
import { signInPage, signInSubmit, signOutSubmit } from './page/sign-in.ts'
import { invitationPage, invitationSubmit, signUpPage, signUpSubmit } from './page/sign-up.ts'
import { stagedListPage, stagedPage, stagedSubmit } from './page/staged.ts'
import { statusPage, statusSubmit } from './page/status.ts'
import { newTokenPage, newTokenSubmit, tokensPage, tokensSubmit } from './page/token.ts'
import { tokenPolicyPage, tokenRuleFile } from './page/token-policy.ts'
import { toldPage, toldSubmit } from './page/told.ts'
import { transferPage, transferSubmit, transfersPage } from './page/transfer.ts'
import { transparencyPage } from './page/transparency.ts'
import { usePage } from './page/use.ts'
import { resendSubmit, verifyPage, verifySubmit } from './page/verify.ts'
import { stopPage, stopSubmit, watchesPage, watchesSubmit, watchSubmit } from './page/watch.ts'
import { whyPage, whySubmit } from './page/why.ts'

/** Every page there is. A form is posted to the address it stands on, so that a refusal can lead back there. */
export function addRoutes(app: Hono<WebEnv>): void {
  app.get('/', homePage)
  app.get('/search', searchPage)
  // No name ends so: a package's has one slash at most, behind its scope.
  app.get('/package/npm/:name{(?:@[^/]+/)?[^/@][^/]*}/staged/:id', stagedPage).post(stagedSubmit)
  app.get('/package/npm/:name{(?:@[^/]+/)?[^/@][^/]*}/staged', stagedListPage)
  app.get('/package/npm/:name{.+}', packagePage)
  app.get('/access/npm/:name{.+}', packageAccessPage).post(packageAccessSubmit)
  app.get('/freeze/npm/:name{.+}', freezePage).post(freezeSubmit)
  app.get('/transfer/npm/:name{.+}', transferPage).post(transferSubmit)
  app.get('/operate/transfers', transfersPage)
  app.get('/why/npm/:name{.+}', whyPage).post(whySubmit)
  app.get('/advisories', advisoriesPage)
  app.get('/advisories/:id', advisoryPage)
  app.get('/log', logPage)
  app.get('/log/checkpoints', logCheckpointsPage)
  app.get('/log/entry/:index', logEntryPage)
  app.get('/publishers', publisherStartPage)
  app.get('/publishers/npm/:name{.+}', publishersPage).post(publishersSubmit)
  app.get('/use', usePage)
  app.get('/policy/tokens', tokenPolicyPage)
  app.get('/policy/tokens/rules/:file', tokenRuleFile)
  app.get('/security', publicSecurityPage)
  app.get('/transparency', transparencyPage)
  app.get('/report', reportPage).post(reportSubmit)
  app.get('/report/confirm/:secret', reportLinkPage).post(reportLinkSubmit)
  app.get('/security/assessment/:file', keptAssessment)
  app.get('/revoke-token', revokeTokenPage).post(revokeTokenSubmit)
  app.get('/policy', policiesPage)
  app.get('/policy/:page', policyTextPage)
  app.get('/policy/:page/history', policyHistoryPage)
  app.get('/.well-known/security.txt', securityText)
  app.get('/security/reviews', reviewsPage)
  app.get('/status', statusPage).post(statusSubmit)
  app.get('/recover', askRecoveryPage).post(askRecoverySubmit)
  app.get('/recover/:code', recoveryLinkPage).post(recoveryLinkSubmit)
  app.get('/recovery/cancel/:secret', cancelRecoveryPage).post(cancelRecoverySubmit)
  app.get('/recovery/:secret', recoveryPage).post(recoverySubmit)
  app.post('/account/stop-recovery', cancelOwnRecoverySubmit)
  app.get('/operate/recovery', staffRecoveryPage).post(staffRecoverySubmit)
  app.get('/sign-in', signInPage).post(signInSubmit)
  app.post('/sign-out', signOutSubmit)
  app.get('/sign-up', signUpPage).post(signUpSubmit)
  // The link of the first operator is an invitation too.
  for (const path of ['/invitation/:secret', '/set-up/:secret'])
    app.get(path, invitationPage).post(invitationSubmit)
  app.get('/verify/:code', verifyPage).post(verifySubmit)
  app.get('/confirm', confirmPage).post(confirmSubmit)
  app.get('/login/cli/:secret', approvalPage).post(approvalSubmit)
  app.get('/account', accountPage).post(profileSubmit)
  app.post('/account/resend', resendSubmit)
  app.get('/account/delete', accountEndPage).post(accountEndSubmit)
  app.get('/account/addresses', addressesPage).post(addressesSubmit)
  app.get('/account/password', passwordPage).post(passwordSubmit)
  app.get('/account/security', securityPage).post(securitySubmit)
  app.get('/account/passkeys/new', newPasskeyPage).post(newPasskeySubmit)
  app.get('/account/second-factor', secondFactorPage).post(secondFactorSubmit)
  app.get('/account/sessions', sessionsPage).post(sessionsSubmit)
  app.get('/account/organisations', orgsPage).post(orgsSubmit)
  app.get('/organisation/:org', orgPage).post(orgSubmit)
  app.get('/organisation/:org/machines', machinesPage).post(machinesSubmit)
  app.post('/watch', watchSubmit)
  app.get('/account/watches', watchesPage).post(watchesSubmit)
  app.get('/account/webhooks', hooksPage).post(hooksSubmit)
  app.get('/unwatch/:key', stopPage).post(stopSubmit)
  app.get('/account/tokens', tokensPage).post(tokensSubmit)
  app.get('/account/tokens/new', newTokenPage).post(newTokenSubmit)
  app.get('/operate', operatePage)
  app.get('/operate/names', namesPage).post(namesSubmit)
  app.get('/operate/people', peoplePage).post(peopleSubmit)
  app.get('/operate/people/:login', personPage).post(personSubmit)
  app.get('/operate/policy', policyPage).post(policySubmit)
  app.get('/operate/waivers', waiversPage).post(waiversSubmit)
  app.get('/operate/risk', riskPage)
  app.get('/operate/critical', criticalPage).post(criticalSubmit)
  app.get('/exposure', exposurePage).post(exposureSubmit)
  app.get('/operate/exposure', operateExposurePage)
  app.get('/operate/holds', holdsPage)
  app.get('/operate/holds/:subject{.+}', holdPage).post(holdSubmit)
  app.get('/operate/measures', measuresPage).post(measuresSubmit)
  app.get('/operate/drills', drillsPage).post(drillsSubmit)
  app.get('/operate/drills/:id', drillPage).post(drillSubmit)
  app.get('/operate/cases', casesPage).post(casesSubmit)
  app.get('/operate/cases/:id/record.json', caseRecord)
  app.get('/operate/cases/:id/submission.zip', caseSubmission)
  app.get('/operate/cases/:id/record.md', caseRecord)
  app.get('/operate/cases/:id/blast', blastPage).post(blastSubmit)
  app.get('/operate/cases/:id/blast.csv', blastExport)
  app.get('/operate/cases/:id/blast.json', blastExport)
  app.get('/account/told', toldPage).post(toldSubmit)
  app.get('/account/downloads', ownDownloadsPage).post(ownDownloadsSubmit)
  app.get('/account/downloads.csv', ownDownloadsExport)
  app.get('/account/downloads.json', ownDownloadsExport)
  app.get('/operate/cases/:id', casePage).post(caseSubmit)
  app.get('/operate/reporters', reportersPage).post(reportersSubmit)
  app.get('/operate/audit', auditPage)
  app.get('/operate/audit/export', auditExport)
  app.get('/operate/origins', originsPage)
  app.get('/operate/cached', cachedPage)
  app.get('/operate/advisories', operateAdvisoriesPage).post(operateAdvisoriesSubmit)
  app.get('/operate/advisories/new', advisoryNewPage).post(advisoryNewSubmit)
  app.get('/operate/advisories/own/:id', advisoryOwnPage).post(advisoryOwnSubmit)
  app.get('/operate/webhooks', webhooksPage)
  app.get('/operate/pages', editedPagesPage)
  app.get('/operate/pages/:page', editPage).post(editSubmit)
  app.get('/operate/reviews', operateReviewsPage).post(operateReviewsSubmit)
  app.get('/operate/mail', mailPage)
}
