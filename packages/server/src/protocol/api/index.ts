// SPDX-License-Identifier: Apache-2.0
/** Our own JSON API, below `/api/v1/`. */
import { type Problem, problem } from '@holdfast/core'
import { drillUpstreamPath } from '../../flow/index.ts'
import type { Answer, Call, Mount } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { advisoryPrefix, answerAdvisory, postAdvisory } from './advisory.ts'
import { answerBlast, casesPrefix } from './blast.ts'
import { giveReadToken } from './ci.ts'
import { answerDrills, drillsPath } from './drill.ts'
import { answerDrillUpstream } from './drill-upstream.ts'
import { answerIncidents, incidentsPath } from './incident.ts'
import { reportLeaks, reportSignedLeaks, revokeTokens } from './leak.ts'
import {
  getMeasures,
  getSwitches,
  postConfirm,
  postMeasure,
  postOwnFreeze,
  postPreview,
  postRevoke,
  postUndo,
} from './measure.ts'
import { keepVersions, previewVersions } from './policy.ts'
import { answerProject, projectPrefix } from './project.ts'
import { provenancePrefix, readProvenance } from './provenance.ts'
import { postReport } from './report.ts'
import { getTransfer, postTransfer } from './transfer.ts'
import { postWaiver, readWhy, whyPrefix } from './why.ts'

type Handler = (ports: Ports, call: Call) => Promise<Answer>

const prefix = '/api/v1/'
const routes: Readonly<Record<string, Handler>> = {
  'POST /api/v1/tokens/revoke': revokeTokens,
  'POST /api/v1/ci/token': giveReadToken,
  'POST /api/v1/leaks': reportLeaks,
  'POST /api/v1/leaks/github': reportSignedLeaks,
  'POST /api/v1/reports': postReport,
  'GET /api/v1/measures': getMeasures,
  'GET /api/v1/switches': getSwitches,
  'POST /api/v1/measures': postMeasure,
  'POST /api/v1/measures/preview': postPreview,
  'POST /api/v1/measures/own': postOwnFreeze,
  'POST /api/v1/measures/revoke': postRevoke,
  'POST /api/v1/measures/confirm': postConfirm,
  'POST /api/v1/measures/undo': postUndo,
  'POST /api/v1/waivers': postWaiver,
  'POST /api/v1/transfers': postTransfer,
  'GET /api/v1/transfers': getTransfer,
  'POST /api/v1/policy/preview': previewVersions,
  'POST /api/v1/policy/keep': keepVersions,
  'POST /api/v1/advisories': postAdvisory,
}

/** The API as a mount; problems are `application/problem+json` (RFC 9457). */
export function apiMount(ports: Ports): Mount {
  return { prefix, classOf: () => 'api', renderProblem, handle: call => handle(ports, withoutCookie(call)) }
}

/** A browser's session is for pages, which check where a form comes from; here nothing does (cross-site request forgery). */
function withoutCookie(call: Call): Call {
  const { actor } = call
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') return call
  return { ...call, actor: { kind: 'nobody', from: actor.from } }
}

async function handle(ports: Ports, call: Call): Promise<Answer> {
  const path = call.url.split('?')[0] ?? ''
  const key = `${call.method} ${path}`
  const handler = Object.hasOwn(routes, key) ? routes[key] : undefined
  if (handler !== undefined) return handler(ports, call)
  if (call.method === 'GET' && path.startsWith(whyPrefix)) return readWhy(ports, call, path)
  if (call.method === 'GET' && path.startsWith(provenancePrefix)) return readProvenance(ports, call, path)
  if (path.startsWith(advisoryPrefix)) return answerAdvisory(ports, call, path)
  if (path === projectPrefix || path.startsWith(`${projectPrefix}/`)) return answerProject(ports, call, path)
  if (path.startsWith(casesPrefix)) return answerBlast(ports, call, path)
  if (path === incidentsPath || path.startsWith(`${incidentsPath}/`))
    return answerIncidents(ports, call, path)
  if (path === drillsPath || path.startsWith(`${drillsPath}/`)) return answerDrills(ports, call, path)
  if (call.method === 'GET' && path.startsWith(`${drillUpstreamPath}/`))
    return answerDrillUpstream(ports, path)
  const isThere = Object.keys(routes).some(each => each.endsWith(` ${path}`))
  throw problem(isThere ? 'method-not-allowed' : 'not-found', { method: call.method })
}

function renderProblem({ code, status, message, hint, data }: Problem): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="holdfast"'
  if (status === 429 || status === 503) headers['retry-after'] = String(data['retryAfter'] ?? 5)
  return { status, headers, body: JSON.stringify({ ...data, code, status, title: message, hint }) }
}
