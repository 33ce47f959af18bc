// SPDX-License-Identifier: Apache-2.0
/** What the next version of a package must prove, and how its owners change that. */
import type { PackageName } from '@holdfast/core'
import { addSource, holdLevel, listIssuers, lowerTrust, readTrust, removeSource } from '../../flow/index.ts'
import {
  type BuildSource,
  isLowerTrust,
  type PackageTrust,
  type TrustLevel,
  trustLevelAt,
  trustLevels,
} from '../../integrity/index.ts'
import type { PageContext } from '../context.ts'
import type { Form } from '../form.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { choose, field } from '../part/field.ts'
import { relative } from '../part/format.ts'
import { accessPath, awayLink, webAddress } from '../part/link.ts'
import { notice } from '../part/notice.ts'

const words: Readonly<Record<TrustLevel, string>> = {
  none: 'nothing: whoever may publish, publishes',
  oidc: 'that a trusted CI job publishes it, or provenance',
  provenance: 'provenance, from any repository',
  source: 'provenance, from one of the repositories below',
}

/** Does what a form of this section asks for; says whether it was one. */
export async function changeDemand(c: PageContext, name: PackageName, posted: Form): Promise<boolean> {
  const { ports, call } = c.env
  const [repository, issuer] = [posted.text('repository'), posted.text('issuer')]
  const level = trustLevels.find(each => each === posted.text('level'))
  switch (posted.text('act')) {
    case 'lower':
      if (level !== undefined) await lowerTrust(ports, call.actor, name, level)
      return level !== undefined
    case 'hold':
      await holdLevel(ports, call.actor, name)
      return true
    case 'source-add':
      await addSource(ports, call.actor, name, { repository, issuer })
      return true
    case 'source-remove':
      await removeSource(ports, call.actor, name, repository)
      return true
    default:
      return false
  }
}

/** The section of the access page. */
export async function demandSection(c: PageContext, name: PackageName): Promise<Markup> {
  const { ports, call } = c.env
  const trust = await readTrust(ports, call.actor, name)
  const now = ports.clock()
  const level = trustLevelAt(trust, now)
  return html`<h2 id="demand">What a version must prove</h2>
<p>The next version must prove <strong>${words[level]}</strong>. A package never proves less than it did, so that a stolen token alone cannot publish it; this rises by itself with each version that proves more.</p>
${level === 'source' ? sources(name, trust.sources, listIssuers(ports, trust), now) : nothing}
${lowering(name, trust, now)}
${level === 'none' ? nothing : lowerForm(name, level)}`
}

function lowering(name: PackageName, { lowering: wanted }: PackageTrust, now: number): Markup {
  if (wanted === null || wanted.startsAt <= now) return nothing
  return html`${notice('warn', `This is lowered ${relative(wanted.startsAt, now)}`, html`The next version must then prove ${words[wanted.level]}.`)}
<form method="post" action="${accessPath(name)}"><button type="submit" name="act" value="hold">Take that back</button></form>`
}

function sources(
  name: PackageName,
  known: readonly BuildSource[],
  issuers: readonly string[],
  now: number,
): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Repository</th><th scope="col">Bound to</th><th scope="col">CI issuer</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>${known.map(each => sourceRow(name, each, known.length > 1, now))}</tbody></table></div>
<details><summary>The repository moves</summary><p>Add where it moves to before it moves: builds from there count after 72 hours, and those from here go on until you remove it.</p>
<form class="form" method="post" action="${accessPath(name)}">
${field({ name: 'repository', label: 'Repository', type: 'url', hint: 'Its https address, such as https://github.com/acme/widget. The first build from there fixes its id.' })}
${choose(
  'issuer',
  'CI issuer',
  issuers.map(each => [each, each] as const),
  issuers[0] ?? '',
)}
<button type="submit" name="act" value="source-add">Add the repository</button></form></details>`
}

function sourceRow(name: PackageName, source: BuildSource, isSpare: boolean, now: number): Markup {
  const { repository, repositoryId, ownerId, issuer, startsAt } = source
  const address = webAddress(repository)
  return html`<tr><td>${address === undefined ? repository : awayLink(address)} ${startsAt > now ? badge(`counts ${relative(startsAt, now)}`, 'warn', '!') : nothing}</td>
<td>${repositoryId === '' ? 'its first build' : `id ${repositoryId}, owner ${ownerId}`}</td><td>${issuer}</td>
<td>${isSpare ? html`<form method="post" action="${accessPath(name)}"><input type="hidden" name="repository" value="${repository}"><button class="link" type="submit" name="act" value="source-remove" aria-label="Remove ${repository}">Remove</button></form>` : nothing}</td></tr>`
}

function lowerForm(name: PackageName, level: TrustLevel): Markup {
  const lower = trustLevels.filter(each => isLowerTrust(each, level)).toReversed()
  return html`<details><summary>Let versions prove less</summary><p>It stands in the public log at once, every owner gets a letter, and it counts after 72 hours.</p>
<form class="form" method="post" action="${accessPath(name)}">
${choose(
  'level',
  'The next version must prove',
  lower.map(each => [each, words[each]] as const),
  lower[0] ?? 'none',
)}
<button type="submit" name="act" value="lower">Lower it in 72 hours</button></form></details>`
}
