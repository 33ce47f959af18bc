// SPDX-License-Identifier: Apache-2.0
/** What this registry does for security, capability by capability, and what shows it: nothing is claimed unmeasured. */
import { type Capability, type CapabilityTrack, capabilities, frameworkVersion } from '@holdfast/core'
import { reviewState } from '../../community/index.ts'
import { currentPolicy, graceEnd, listReviews } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'
import { findAssessment, type StoredAssessment } from '../assessment.ts'
import type { PageContext } from '../context.ts'
import { release, sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { notice } from '../part/notice.ts'

type Measured = StoredAssessment['capabilities'][number]

const tracks: readonly (readonly [CapabilityTrack, string])[] = [
  ['authentication', 'Authentication'],
  ['authorization', 'Authorization'],
  ['general', 'General'],
  ['cli', 'Command line'],
  ['beyond', 'Beyond the framework'],
]
/** What a throw-away instance shows of these is not true of one that sends no mail. */
const needsMail = new Set(['authn-1-notify', 'authn-1-recovery'])

/** The table of capabilities, open to anybody. */
export async function publicSecurityPage(c: PageContext): Promise<Response> {
  const { config, clock } = c.env.ports
  const lacking = await lackingHere(c.env.ports)
  const stored = await findAssessment(config.data)
  const isCurrent = stored !== undefined && stored.release === release
  const found = new Map(isCurrent ? stored.capabilities.map(each => [each.id, each]) : [])
  const measured = (id: string) => lacking.get(id) ?? found.get(id)
  const main = html`<h1>Security of this registry</h1>
<p class="lead">What it does, by the <cite>Principles for Package Repository Security</cite> (OpenSSF and CISA, version ${frameworkVersion}), and what shows it. What was not measured is not claimed.</p>
${summary(stored, isCurrent, clock())}
${tracks.map(([track, title]) => trackTable(track, title, isCurrent ? levelOf(stored, track, lacking) : undefined, measured))}
<h2>Look for yourself</h2>
<p><code>npx holdfast assess self</code> runs every check on a fresh instance of release ${release}, on your own machine. Who finds a hole reports it as the <a href="/policy/disclosure">disclosure policy</a> says.</p>`
  return sheet(c, { title: 'Security', main, facts: facts() })
}

function summary(stored: StoredAssessment | undefined, isCurrent: boolean, now: number): Markup {
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
  stored: StoredAssessment,
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
<div class="scroll" tabindex="0" role="region" aria-labelledby="${track}"><table><thead><tr><th scope="col">Capability</th><th scope="col">Level</th><th scope="col">State</th><th scope="col">What shows it</th></tr></thead>
<tbody>${rows.map(each => row(each, measured(each.id)))}</tbody></table></div>`
}

function row(capability: Capability, measured: Measured | string | undefined): Markup {
  const { id, level, mustBeTrue, shownBy } = capability
  return html`<tr id="${id}"><td><code>${id}</code><br>${mustBeTrue}</td><td>${level ?? '–'}</td><td class="nowrap">${mark(measured)}</td>
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
