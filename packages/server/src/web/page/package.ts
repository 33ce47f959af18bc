// SPDX-License-Identifier: Apache-2.0
import { type PackageName, parsePackageName, problem } from '@holdfast/core'
import { listPackageAdvisories, listStaged } from '../../flow/index.ts'
import { authorize, may } from '../../identity/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, statusBadge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { icon } from '../part/icon.ts'
import { packagePath } from '../part/link.ts'
import { notice } from '../part/notice.ts'
import { dependenciesTab, dependentsTab } from './package-dependencies.ts'
import { packageFacts } from './package-facts.ts'
import { freezeNotice } from './package-freeze.ts'
import { nextStep } from './package-guidance.ts'
import { historyTab } from './package-history.ts'
import { packageNotices } from './package-notice.ts'
import { readShownPackage, type ShownPackage } from './package-read.ts'
import { readmeTab } from './package-readme.ts'
import { securityTab } from './package-security.ts'
import { tombstone } from './package-tombstone.ts'
import { versionsTab } from './package-versions.ts'
import { watchBox } from './watch.ts'

const tabs = ['readme', 'security', 'versions', 'dependencies', 'dependents', 'history'] as const

type Tab = (typeof tabs)[number]

/** A package: what it is, how to get it, what is known of it. */
export async function packagePage(c: PageContext): Promise<Response> {
  const { call } = c.env
  const name = parsePackageName(c.req.param('name'))
  await checkReadable(c, name)
  const shown = await readShownPackage(c.env.ports, name, call.query.get('v') ?? '')
  if (shown.isUnpublished)
    return sheet(c, { title: name, main: tombstone(shown, c.env.ports.clock()), status: 410 })
  const isOwner = await may(c.env.ports, call.actor, 'package:own', name)
  const tab = tabs.find(each => each === call.query.get('show')) ?? 'readme'
  const main = html`${header(shown, c.env.ports.clock())}
${packageNotices(shown)}
${await malwareNotice(c, name)}
${await stagedNotice(c, name)}
${await freezeNotice(c, name)}
${isOwner ? await nextStep(c, name) : nothing}
${tabBar(shown, tab)}
<section class="tab">${await content(c, shown, tab)}</section>`
  const status = shown.decision?.status === 'removed' ? 410 : 200
  const facts = html`${await packageFacts(c.env.ports, call.actor, shown, isOwner)}${await watchBox(c, name)}`
  return sheet(c, { title: name, main, facts, status })
}

/** Whatever version is looked at: some version of it is known to be malware. */
async function malwareNotice(c: PageContext, name: PackageName): Promise<Markup> {
  const { ports, call } = c.env
  const found = (await listPackageAdvisories(ports, call.actor, name)).find(
    each => each.kind === 'malware' && each.withdrawnAt === null,
  )
  if (found === undefined) return nothing
  const link = html`<a href="/advisories/${found.id}">Which versions, and what is known</a>`
  return notice('bad', 'There is malware in this package', link)
}

/** Told to those who decide on it, and to nobody else. */
async function stagedNotice(c: PageContext, name: PackageName): Promise<Markup> {
  const { ports, call } = c.env
  if (call.actor.kind !== 'person') return nothing
  const waiting = (await listStaged(ports, call.actor, name)).length
  if (waiting === 0) return nothing
  const link = html`<a href="${packagePath(name)}/staged">Look at what is staged</a>`
  return notice('plain', `${plural(waiting, 'version')} waiting for approval`, link)
}

/** A private package does not exist for outsiders: asking them to sign in would tell that it does. */
async function checkReadable(c: PageContext, name: PackageName): Promise<void> {
  const { ports, call } = c.env
  const known = await ports.store.catalog.findPackage(name)
  if (known === undefined || call.actor.kind !== 'nobody' || ports.config.read !== 'anyone') {
    await authorize(ports, call.actor, 'package:read', name)
    return
  }
  if (known.access !== 'public') throw problem('package-not-found', { name })
}

function header(shown: ShownPackage, now: number): Markup {
  const { name, origin, access, description, selected, decision, tagsOf } = shown
  return html`<div class="title">
<h1>${name}</h1>
<p class="badges">${selected === undefined ? '' : html`<span class="version">${selected.version}</span>`}
${decision === undefined ? '' : statusBadge(decision.status)}
${selected === undefined ? '' : tagsOf(selected.version).map(tag => badge(tag))}
${access === 'restricted' ? badge('private', 'plain', '🔒︎') : ''}
${origin === 'hosted' ? '' : badge(`from ${origin}`)}
${selected === undefined ? '' : html`<span class="small">published ${ago(selected.publishedAt, now)}<bdi>${selected.publisher}</bdi></span>`}</p>
${description === '' ? '' : html`<p class="lead"><bdi>${description}</bdi></p>`}
</div>`
}

function tabBar(shown: ShownPackage, current: Tab): Markup {
  const counts: Readonly<Record<Tab, string | Markup>> = {
    readme: 'Readme',
    security: html`${icon('lock')}Security`,
    versions: plural(shown.facts.length, 'version'),
    dependencies: plural(shown.dependencies.runtime.length, 'dependency', 'dependencies'),
    dependents: 'Dependents',
    history: 'History',
  }
  return html`<nav class="tabs" aria-label="Sections of the package">${tabs.map(tab => {
    const path = packagePath(shown.name, {
      ...(shown.asked === '' ? {} : { v: shown.asked }),
      ...(tab === 'readme' ? {} : { show: tab }),
    })
    return html`<a href="${path}" ${tab === current ? html`aria-current="page"` : ''}>${counts[tab]}</a>`
  })}</nav>`
}

function content(c: PageContext, shown: ShownPackage, tab: Tab): Promise<Markup> | Markup {
  switch (tab) {
    case 'readme':
      return readmeTab(shown)
    case 'security':
      return securityTab(c, shown)
    case 'versions':
      return versionsTab(c, shown)
    case 'dependencies':
      return dependenciesTab(c.env.ports, c.env.call.actor, shown)
    case 'dependents':
      return dependentsTab(c.env.ports, c.env.call.actor, shown)
    case 'history':
      return historyTab(c.env.ports, shown)
  }
}
