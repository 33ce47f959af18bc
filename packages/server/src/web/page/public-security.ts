// SPDX-License-Identifier: Apache-2.0
/** What this registry does for security, capability by capability, and what shows it: nothing is claimed unmeasured. */
import {
  type Capability,
  type CapabilityTrack,
  capabilities,
  frameworkVersion,
  problem,
} from '@holdfast/core'
import { type AssessmentResult, type ListedAssessment, reviewState } from '../../community/index.ts'
import { currentPolicy, findLastAssessment, graceEnd, listReviews } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'
import type { PageContext } from '../context.ts'
import { release, sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { notice } from '../part/notice.ts'

type Measured = AssessmentResult['capabilities'][number]

const tracks: readonly (readonly [CapabilityTrack, string])[] = [
  ['authentication', 'Authentication'],
  ['authorization', 'Authorization'],
  ['general', 'General'],
  ['cli', 'Command line'],
  ['beyond', 'Beyond the framework'],
]
const historyShown = 26
/** What a throw-away instance shows of these is not true of one that sends no mail. */
const needsMail = new Set(['authn-1-notify', 'authn-1-recovery'])

/** The table of capabilities, open to anybody. */
export async function publicSecurityPage(c: PageContext): Promise<Response> {
  const { store, clock, config } = c.env.ports
  const lacking = await lackingHere(c.env.ports)
  const history = await store.assessments.list(historyShown)
  const stored = await findLastAssessment(store)
  const isCurrent = stored !== undefined && stored.release === release
  const found = new Map(isCurrent ? stored.capabilities.map(each => [each.id, each]) : [])
  const measured = (id: string) => lacking.get(id) ?? found.get(id)
  const main = html`<h1>Security of this registry</h1>
<p class="lead">What it does, by the <cite>Principles for Package Repository Security</cite> (OpenSSF and CISA, version ${frameworkVersion}), and what shows it. What was not measured is not claimed.</p>
${summary(stored, isCurrent, clock())}
${isCurrent ? scorecard(track => levelOf(stored, track, lacking)) : nothing}
${tracks.map(([track, title]) => trackTable(track, title, isCurrent ? levelOf(stored, track, lacking) : undefined, measured))}
${historyTable(history)}
<h2>Look for yourself</h2>
<p><code>npx holdfast assess self</code> runs every check on a fresh instance of release ${release}, on your own machine; <code>npx holdfast assess ${config.publicUrl}</code> looks at this one from outside. Who finds a hole reports it as the <a href="/policy/disclosure">disclosure policy</a> says.</p>`
  return sheet(c, { title: 'Security', main, facts: facts() })
}

function summary(stored: AssessmentResult | undefined, isCurrent: boolean, now: number): Markup {
  if (stored === undefined)
    return notice(
      'plain',
      'Not measured',
      html`No self-assessment is stored here, so every mark below says so.`,
    )
  if (!isCurrent)
    return notice(
      'warn',
      'Not measured on this release',
      html`The last self-assessment was of release ${stored.release}; this is ${release}.`,
    )
  const passed = stored.capabilities.filter(({ status }) => status === 'pass').length
  return html`<p>Measured ${ago(Date.parse(stored.at), now)} on release ${stored.release}: ${plural(passed, 'capability', 'capabilities')} of ${capabilities.length} shown.</p>`
}

/** Three boxes a track, as many of them full as levels are reached; the words beside say the same. */
function scorecard(levelOf: (track: CapabilityTrack) => number | undefined): Markup {
  const shown = tracks.flatMap(([track, title]) => {
    const level = levelOf(track)
    return level === undefined ? [] : [{ title, level }]
  })
  const said = shown.map(({ title, level }) => `${title} ${level} of 3`).join(', ')
  return html`<svg class="scorecard" role="img" aria-label="Levels: ${said}" viewBox="0 0 440 ${shown.length * 32}">
${shown.map(
  ({ title, level }, row) =>
    html`<text x="0" y="${row * 32 + 20}">${title}</text>${[1, 2, 3].map(each => html`<rect class="${each <= level ? 'on' : 'off'}" x="${120 + each * 56}" y="${row * 32 + 5}" width="48" height="20" rx="3"></rect>`)}<text x="356" y="${row * 32 + 20}">level ${level} of 3</text>`,
)}</svg>`
}

/** The results that are kept, each with its text and signature. */
function historyTable(history: readonly ListedAssessment[]): Markup {
  if (history.length === 0) return nothing
  return html`<h2 id="history">Results that are kept</h2>
<p class="small">Each is signed with a <a href="/npm/-/npm/v1/keys">key of this registry</a> (ECDSA P-256 over SHA-256 of the text as it is). Whoever holds the key could sign another: run it yourself to be sure.</p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="history"><table><thead><tr><th scope="col">When</th><th scope="col">Release</th><th scope="col">Passed</th><th scope="col">Signature</th></tr></thead>
<tbody>${history.map(({ at, release: of, passed, keyId, signature }) => html`<tr><td class="nowrap"><a href="/security/assessment/${at}.json">${new Date(at).toISOString()}</a></td><td>${of}</td><td>${passed}</td><td><details><summary><code>${keyId}</code></summary><code class="break">${signature}</code></details></td></tr>`)}</tbody></table></div>`
}

/** The text of one kept result, as it was signed. */
export async function keptAssessment(c: PageContext): Promise<Response> {
  const at = /^(\d{1,16})\.json$/.exec(c.req.param('file') ?? '')?.[1]
  const kept = at === undefined ? undefined : await c.env.ports.store.assessments.find(Number(at))
  if (kept === undefined) throw problem('not-found')
  return c.body(kept.text, 200, { 'content-type': 'application/json; charset=utf-8' })
}

/** What the software can and this instance does not, by its configuration and its policy, with the reason. */
async function lackingHere(ports: Ports): Promise<ReadonlyMap<string, string>> {
  const lacking = new Map<string, string>(await lackingOfFirewall(ports))
  const { config, mail, clock } = ports
  if (!(await isReviewed(ports)))
    lacking.set('general-3-review', 'The register has no review of the last 12 months.')
  if (mail.kind === 'outbox')
    for (const id of needsMail) lacking.set(id, 'This registry sends no mail, whatever the software can do.')
  if (config.mfa === 'optional')
    lacking.set('authn-3-all-mfa', 'This registry lets accounts without a second factor publish.')
  else if (graceEnd(config) > clock())
    lacking.set(
      'authn-3-all-mfa',
      `Accounts without a second factor may still publish until ${config.mfaGraceUntil}.`,
    )
  return lacking
}

async function isReviewed(ports: Ports): Promise<boolean> {
  const state = reviewState(await listReviews(ports), ports.clock())
  return state === 'current' || state === 'due'
}

/** What stands open where packages of an upstream come in. */
async function lackingOfFirewall(ports: Ports): Promise<[id: string, why: string][]> {
  const { config, upstreams, nameSources } = ports
  if (upstreams.size === 0) return []
  const lacking: [string, string][] = []
  if (nameSources.length === 0 && config.askUpstreamsAbout.length === 0)
    lacking.push(['beyond-confusion', 'Nobody looks here whether names of this registry appear upstream.'])
  const { rules } = await currentPolicy(ports)
  if (
    !rules.some(({ kind, mode, action }) => kind === 'release-age' && mode === 'enforce' && action !== 'warn')
  )
    lacking.push(['beyond-fix-aware-age', 'Releases of any age come in here at once.'])
  return lacking
}

/** What the throw-away instance reached, as far as this one is not kept from it. */
function levelOf(
  stored: AssessmentResult,
  track: CapabilityTrack,
  lacking: ReadonlyMap<string, string>,
): number | undefined {
  const reached = stored.levels[track]
  const kept = capabilities.filter(each => each.track === track && lacking.has(each.id))
  return reached === undefined ? undefined : Math.min(reached, ...kept.map(({ level }) => (level ?? 1) - 1))
}

function trackTable(
  track: CapabilityTrack,
  title: string,
  level: number | undefined,
  measured: (id: string) => Measured | string | undefined,
): Markup {
  const rows = capabilities.filter(each => each.track === track)
  return html`<h2 id="${track}">${title}${level === undefined ? nothing : html` <span class="small">level ${level} of 3</span>`}</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="${track}"><table><thead><tr><th scope="col">State</th><th scope="col">Capability</th><th scope="col">Level</th><th scope="col">What shows it</th></tr></thead>
<tbody>${rows.map(each => row(each, measured(each.id)))}</tbody></table></div>`
}

function row(capability: Capability, measured: Measured | string | undefined): Markup {
  const { id, level, mustBeTrue, shownBy } = capability
  return html`<tr id="${id}"><td class="nowrap">${mark(measured)}</td><td><code>${id}</code><br>${mustBeTrue}</td><td>${level ?? '–'}</td>
<td>${evidence(measured) ?? html`<span class="small">Would be shown so: ${shownBy}</span>`}</td></tr>`
}

function mark(measured: Measured | string | undefined): Markup {
  if (measured === undefined) return badge('not measured', 'plain', '?')
  if (typeof measured === 'string') return badge('not here', 'warn', '!')
  switch (measured.status) {
    case 'pass':
      return badge('shown', 'good', '✓')
    case 'fail':
      return badge('failed', 'bad', '✕')
    case 'missing':
      return badge('no check yet', 'plain', '·')
    case 'not-applicable':
      return badge('does not apply', 'plain', '–')
  }
}

function evidence(measured: Measured | string | undefined): Markup | undefined {
  if (typeof measured === 'string') return html`${measured}`
  if (measured === undefined || measured.evidence.length === 0) return undefined
  return html`<ul class="bare">${measured.evidence.map(line => html`<li>${line}</li>`)}</ul>`
}

function facts(): Markup {
  return html`<section><h2>Here</h2><ul class="bare">
<li><a href="/revoke-token">Revoke a token you found</a></li>
<li><a href="/policy/tokens">Rules for tokens</a></li>
<li><a href="/policy/disclosure">Report a weakness</a></li>
<li><a href="/security/reviews">Security reviews</a></li>
<li><a href="/policy">Policies</a></li>
<li><a href="/npm/-/npm/v1/keys">Signing keys</a></li>
</ul></section>`
}
