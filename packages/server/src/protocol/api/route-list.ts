// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { drillUpstreamPath } from '../../flow/index.ts'
import { advisoryPrefix, answerAdvisory, postAdvisory } from './advisory.ts'
import { answerBlast, casesPrefix } from './blast.ts'
import { giveReadToken } from './ci.ts'
import { answerDrills, drillBody, drillsPath } from './drill.ts'
import { answerDrillUpstream } from './drill-upstream.ts'
import { answerIncidents, closeBody, incidentBody, incidentsPath, noteBody, subjectBody } from './incident.ts'
import { leaksBody, reportLeaks, reportSignedLeaks, revokeTokens, signedBody, tokensBody } from './leak.ts'
import {
  getMeasures,
  getSwitches,
  measureBody,
  postConfirm,
  postMeasure,
  postOwnFreeze,
  postPreview,
  postRevoke,
  postUndo,
} from './measure.ts'
import { keepVersions, previewVersions, versionsBody } from './policy.ts'
import { answerProject, lockBody, projectPrefix } from './project.ts'
import { provenancePrefix, readProvenance } from './provenance.ts'
import { postReport, reportBody } from './report.ts'
import type { Route } from './route.ts'
import { getTransfer, postTransfer, transferBody } from './transfer.ts'
import { postWaiver, readWhy, waiverBody, whyPrefix } from './why.ts'

const osv = v.record(v.string(), v.unknown())
const withdrawal = v.object({ words: v.optional(v.string()) })
const base = '/api/v1'
const ndjson = 'application/x-ndjson'

type Doing = Omit<Route, 'method' | 'path' | 'handle'>
type Handle = Route['handle']

const get = (path: string, handle: Handle, doing: Omit<Doing, 'status'>): Route => ({
  method: 'GET',
  path,
  handle,
  status: 200,
  ...doing,
})
const post = (path: string, handle: Handle, doing: Doing): Route => ({
  method: 'POST',
  path,
  handle,
  ...doing,
})

/** Everything that answers below `/api/v1/`, but for the description itself. */
export const routes: readonly Route[] = [
  post(`${base}/tokens/revoke`, revokeTokens, {
    does: 'End tokens of this registry that were found somewhere',
    who: 'anybody',
    body: tokensBody,
    status: 200,
  }),
  post(`${base}/ci/token`, giveReadToken, {
    does: 'A token to install with, for the identity token of a CI job in the authorization header',
    who: 'anybody',
    status: 201,
  }),
  post(`${base}/leaks`, reportLeaks, {
    does: 'Report leaked tokens with where they were found; those that work are ended',
    who: 'account',
    body: leaksBody,
    status: 200,
  }),
  post(`${base}/leaks/github`, reportSignedLeaks, {
    does: "Findings of a secret-scanning programme, signed as in GitHub's partner programme",
    who: 'anybody',
    body: signedBody,
    status: 200,
  }),
  post(`${base}/reports`, postReport, {
    does: 'Report a package, a version or an account',
    who: 'anybody',
    body: reportBody,
    status: 201,
  }),
  get(`${base}/measures`, getMeasures, { does: 'Measures that hold, then those that ended', who: 'role' }),
  get(`${base}/switches`, getSwitches, {
    does: 'What of this registry is switched off now',
    who: 'anybody',
  }),
  post(`${base}/measures`, postMeasure, {
    does: 'Close: a freeze, a block, or a quarantine by query',
    who: 'role',
    body: measureBody,
    status: 201,
  }),
  post(`${base}/measures/preview`, postPreview, {
    does: 'What a measure would close',
    who: 'role',
    body: measureBody,
    status: 200,
  }),
  post(`${base}/measures/own`, postOwnFreeze, {
    does: 'A maintainer freezes a package',
    who: 'role',
    body: measureBody,
    status: 201,
  }),
  post(`${base}/measures/revoke`, postRevoke, {
    does: 'End tokens, sessions and publishers of an account, a publisher or a package',
    who: 'role',
    body: measureBody,
    status: 200,
  }),
  post(`${base}/measures/confirm`, postConfirm, {
    does: 'Let a measure hold beyond its four hours',
    who: 'role',
    body: measureBody,
    status: 200,
  }),
  post(`${base}/measures/undo`, postUndo, {
    does: 'Open again; holds once a second person says so too',
    who: 'role',
    body: measureBody,
    status: 200,
  }),
  get(`${whyPrefix}{name}/{version}`, readWhy, {
    does: 'Why a version can be installed or cannot, and what to use instead',
    who: 'anybody',
  }),
  post(`${base}/waivers`, postWaiver, {
    does: 'Ask for an exception for one version',
    who: 'account',
    body: waiverBody,
    status: 201,
  }),
  get(`${provenancePrefix}{name}/{version}`, readProvenance, {
    does: 'Where a version was built as far as it was proved, and what the next must prove',
    who: 'anybody',
  }),
  get(`${base}/transfers`, getTransfer, {
    does: 'The transfer that waits for a name',
    who: 'account',
    query: { name: 'The package' },
  }),
  post(`${base}/transfers`, postTransfer, {
    does: 'Ask for a name, or take another step of its transfer',
    who: 'account',
    body: transferBody,
    status: 201,
  }),
  post(`${base}/policy/preview`, previewVersions, {
    does: 'Which of these versions are not open, and why',
    who: 'account',
    body: versionsBody,
    status: 200,
  }),
  post(`${base}/policy/keep`, keepVersions, {
    does: 'Spare these versions from rules that come later',
    who: 'role',
    body: versionsBody,
    status: 200,
  }),
  post(`${base}/advisories`, postAdvisory, {
    does: 'Publish an advisory: an OSV document without id and times',
    who: 'role',
    body: osv,
    status: 201,
  }),
  {
    method: 'PUT',
    path: `${advisoryPrefix}{id}`,
    handle: answerAdvisory,
    does: 'Say something else under the id of an advisory',
    who: 'role',
    body: osv,
    status: 200,
  },
  post(`${advisoryPrefix}{id}/withdraw`, answerAdvisory, {
    does: 'Take an advisory back',
    who: 'role',
    body: withdrawal,
    status: 200,
  }),
  get(projectPrefix, answerProject, { does: 'Lock files that you submitted', who: 'account' }),
  get(`${projectPrefix}/{name}/lockfiles`, answerProject, {
    does: 'Lock files of a project that you submitted',
    who: 'account',
  }),
  post(`${projectPrefix}/{name}/lockfiles`, answerProject, {
    does: 'Submit a lock file of a branch, so that you are told what becomes known against it',
    who: 'account',
    body: lockBody,
    status: 201,
  }),
  {
    method: 'DELETE',
    path: `${projectPrefix}/{name}/lockfiles/{branch}`,
    handle: answerProject,
    does: 'Take back the lock file of a branch',
    who: 'account',
    status: 200,
  },
  get(`${casesPrefix}{id}/blast`, answerBlast, {
    does: 'Who has the bytes of a case, a page at a time',
    who: 'role',
    query: { page: 'Where to go on, as the page before says' },
  }),
  get(`${casesPrefix}{id}/blast.csv`, answerBlast, {
    does: 'All who have the bytes of a case',
    who: 'role',
    type: 'text/csv',
  }),
  get(`${casesPrefix}{id}/blast.json`, answerBlast, {
    does: 'All who have the bytes of a case, one JSON object a line',
    who: 'role',
    type: ndjson,
  }),
  post(`${casesPrefix}{id}/blast/tell`, answerBlast, {
    does: 'Write to each holder once',
    who: 'role',
    status: 200,
  }),
  get(incidentsPath, answerIncidents, { does: 'Incidents, the newest first', who: 'role' }),
  post(incidentsPath, answerIncidents, {
    does: 'Open an incident by hand',
    who: 'role',
    body: incidentBody,
    status: 201,
  }),
  get(`${incidentsPath}/{id}`, answerIncidents, { does: 'The record of an incident', who: 'role' }),
  get(`${incidentsPath}/{id}/export`, answerIncidents, {
    does: 'The record of an incident for people',
    who: 'role',
    type: 'text/markdown',
  }),
  post(`${incidentsPath}/{id}/notes`, answerIncidents, {
    does: 'Add a note',
    who: 'role',
    body: noteBody,
    status: 201,
  }),
  post(`${incidentsPath}/{id}/subjects`, answerIncidents, {
    does: 'Add a package or a version that it is about',
    who: 'role',
    body: subjectBody,
    status: 201,
  }),
  post(`${incidentsPath}/{id}/release`, answerIncidents, {
    does: 'Ask that a version be let go, or agree with whoever asked',
    who: 'role',
    body: subjectBody,
    status: 200,
  }),
  post(`${incidentsPath}/{id}/take`, answerIncidents, { does: 'Become its lead', who: 'role', status: 200 }),
  post(`${incidentsPath}/{id}/close`, answerIncidents, {
    does: 'End an incident with its outcome',
    who: 'role',
    body: closeBody,
    status: 200,
  }),
  get(drillsPath, answerDrills, { does: 'Drills, the newest first', who: 'role' }),
  post(drillsPath, answerDrills, {
    does: 'Begin a drill of a playbook',
    who: 'role',
    body: drillBody,
    status: 201,
  }),
  get(`${drillsPath}/{id}`, answerDrills, { does: 'How a drill goes, or went', who: 'role' }),
  post(`${drillsPath}/{id}/stop`, answerDrills, { does: 'Stop a drill', who: 'role', status: 200 }),
  get(`${drillUpstreamPath}/{name}`, (ports, _, path) => answerDrillUpstream(ports, path), {
    does: 'What the upstream of a drill says, while one is played',
    who: 'anybody',
  }),
]
