// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import type { Rule, RuleMode } from '../../catalog/index.ts'
import {
  currentPolicy,
  listRefused,
  maxGlanced,
  type PolicyPreview,
  previewPolicy,
  type Refused,
  rulesWithMode,
  setRuleMode,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { packagePath, whyPath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const weekMs = 7 * 24 * 3600_000
const shown = 50

/** The rules, what each would do here, and what was refused lately. `?try=RULE&mode=enforce` shows a change before it is made. */
export async function policyPage(c: PageContext): Promise<Response> {
  const visitor = checkFresh(c, getStaff(c))
  const { query } = c.env.call
  const [rule, mode] = [query.get('try'), modeOf(query.get('mode'))]
  if (rule !== null && mode !== undefined && hasRole(visitor, 'operator')) return tryRule(c, rule, mode)
  return policy(c, visitor)
}

export async function policySubmit(c: PageContext): Promise<Response> {
  const visitor = checkFresh(c, getStaff(c))
  const posted = await readForm(c)
  try {
    const mode = modeOf(posted.text('mode'))
    if (mode === undefined) throw problem('invalid-body', { why: 'it says no mode' })
    await setRuleMode(c.env.ports, visitor, posted.text('rule'), mode)
  } catch (error) {
    return policy(c, visitor, asNotice(error))
  }
  return leadTo(c, '/operate/policy')
}

function modeOf(text: string | null): RuleMode | undefined {
  return text === 'enforce' || text === 'monitor' ? text : undefined
}

async function policy(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const now = ports.clock()
  const { version, rules } = await currentPolicy(ports)
  const preview = await previewPolicy(ports, rules, maxGlanced)
  const refused = await listRefused(ports, visitor, now - weekMs)
  const mayChange = ports.config.policy === undefined && hasRole(visitor, 'operator')
  const main = html`${operateHead(c, 'policy')}
${problemNotice(trouble)}
<p>What upstream packages must pass before they are installed from here. ${ports.config.policy === undefined ? (version === 0 ? 'These are the defaults.' : `Version ${version}.`) : 'It stands in the configuration and is changed there.'} Hits are among the ${plural(preview.usedVersions, 'version')} fetched here in the last 30 days${preview.isWhole ? '' : ', the most used packages alone'}.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Rule</th><th scope="col">What it looks for</th><th scope="col">Action</th><th scope="col">Mode</th><th scope="col" class="number">Hits</th>${mayChange ? html`<th scope="col"><span class="unseen">Change</span></th>` : nothing}</tr></thead>
<tbody>${rules.map(rule => ruleRow(rule, preview, ports.popular !== undefined, mayChange))}</tbody></table></div>
<p class="small">A rule that is enforced leaves alone what was served here before, except what is malware or denied by name. Projects see what becomes of theirs with <code>holdfast policy preview package-lock.json</code>.</p>
${refusedTable(refused, now)}`
  return sheet(c, { title: 'Policy', main, status: trouble?.status ?? 200 })
}

function ruleRow(rule: Rule, { hits }: PolicyPreview, hasList: boolean, mayChange: boolean): Markup {
  const other = rule.mode === 'enforce' ? 'monitor' : 'enforce'
  const path = `/operate/policy?${new URLSearchParams({ try: rule.name, mode: other })}`
  const change = html`<td class="nowrap"><a href="${path}" aria-label="${other === 'enforce' ? 'Enforce' : 'Only watch'} ${rule.name}">${other === 'enforce' ? 'Enforce…' : 'Only watch…'}</a></td>`
  const cannot = rule.kind === 'unpopular' && !hasList
  return html`<tr><td>${rule.name}</td><td>${wordsOf(rule)}${reachOf(rule)}${cannot ? html`<br><span class="small">It cannot judge: no list is configured (<code>popularNames</code>).</span>` : nothing}</td><td>${rule.action}</td>
<td>${rule.mode === 'enforce' ? badge('enforced', 'good', '✓') : badge('watches', 'plain', '○')}</td><td class="number">${hits.get(rule.name) ?? 0}</td>${mayChange ? change : nothing}</tr>`
}

/** A rule in words. */
function wordsOf(rule: Rule): string {
  switch (rule.kind) {
    case 'release-age':
      return `younger than ${plural(rule.days, 'day')}, unless it fixes what is known`
    case 'malware':
      return 'known malware, by advisory or by its bytes'
    case 'advisory':
      return `known flaws, ${rule.severity} or worse`
    case 'install-script':
      return 'runs code of its own when it is installed'
    case 'deprecated':
      return 'deprecated by its maintainers'
    case 'signature':
      return rule.allow === 'none'
        ? 'not signed, or with a broken signature'
        : 'a broken signature, or one that is lost'
    case 'provenance':
      return rule.demand === 'required'
        ? 'nothing tells where it was built'
        : 'tells less of its build than before'
    case 'publisher-change':
      return 'published by somebody new to the package'
    case 'new-name':
      return `a name younger than ${plural(rule.days, 'day')}`
    case 'look-alike':
      return `a name younger than ${plural(rule.days, 'day')} that is likely taken for a well-used one`
    case 'unpopular':
      return 'not among the well-used names'
    case 'screening':
      return 'what malware does, found by screening'
    case 'behaviour':
      return 'published against the habits of the package or the publisher'
    case 'deny':
      return `${rule.packages.join(', ')} ${rule.versions === '*' ? '' : rule.versions}`
    case 'allow-only':
      return `everything but ${rule.packages.join(', ')}`
  }
}

function reachOf({ kind, packages, except, origins }: Rule): Markup {
  const isAll = packages.includes('*' as never) || kind === 'deny' || kind === 'allow-only'
  const parts = [
    ...(isAll ? [] : [`in ${packages.join(', ')}`]),
    ...(except.length === 0 ? [] : [`except ${except.join(', ')}`]),
    ...(origins === 'upstreams' ? [] : [`from ${origins.join(', ')}`]),
  ]
  return parts.length === 0 ? nothing : html` <span class="small">${parts.join('; ')}</span>`
}

function refusedTable(refused: readonly Refused[], now: number): Markup {
  return html`<h2>Blocked lately</h2>
${
  refused.length === 0
    ? html`<p>Nothing was asked for in the last seven days that was not given out.</p>`
    : html`<p>${plural(refused.length, 'version')} of the last seven days, the most wanted first.</p><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Why</th><th scope="col" class="number">Times</th><th scope="col">Last</th></tr></thead>
<tbody>${refused.slice(0, shown).map(each => html`<tr><td><a href="${whyPath(each.package, each.version)}">${each.package}@${each.version}</a></td><td>${each.why.replace('version-', '')}</td><td class="number">${each.count}</td><td class="nowrap">${ago(each.lastAt, now)}</td></tr>`)}</tbody></table></div>`
}`
}

/** A change before it is made: what it would hide of what is installed here. */
async function tryRule(c: PageContext, name: string, mode: RuleMode): Promise<Response> {
  const { ports } = c.env
  const preview = await previewPolicy(ports, await rulesWithMode(ports, name, mode))
  const { hidden, usedVersions } = preview
  const title = mode === 'enforce' ? `Enforce ${name}` : `Only watch ${name}`
  const main = html`${operateHead(c, 'policy')}
<h2>${title}</h2>
${notice(hidden.length === 0 ? 'good' : 'warn', `This would hide ${plural(hidden.length, 'version')} of the ${usedVersions.toLocaleString('en')} fetched here in the last 30 days`, html`<p>The rule says something of ${preview.hits.get(name) ?? 0} of them. ${mode === 'enforce' ? 'What was served before is left alone; what comes new is not.' : ''}</p>`)}
${
  hidden.length === 0
    ? nothing
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Why</th></tr></thead><tbody>${hidden.slice(0, 200).map(each => html`<tr><td><a href="${packagePath(each.package, { v: each.version })}">${each.package}@${each.version}</a></td><td><bdi>${each.why}</bdi></td></tr>`)}</tbody></table></div>`
}
<form class="form" method="post" action="/operate/policy"><input type="hidden" name="rule" value="${name}">
<button type="submit" name="mode" value="${mode}">${title}</button> <a href="/operate/policy">Back</a></form>`
  return sheet(c, { title, main })
}
