// SPDX-License-Identifier: Apache-2.0
/** Versions that wait for approval: the list of a package, and the page on which people decide on one. */
import { formatIntegrity, type Problem, parsePackageName, problem } from '@holdfast/core'
import {
  approveStaged,
  beginPasskeyApproval,
  listStaged,
  rejectStaged,
  reviewStaged,
  type StageReview,
  type StageView,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { fileDiffs, findingItem, findingItems } from '../part/diff.ts'
import { area } from '../part/field.ts'
import { ago, formatBytes, plural } from '../part/format.ts'
import { packagePath, stagedPath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { passkeyAnswer, passkeyButton } from '../part/passkey.ts'
import { screeningFindings } from '../part/screening.ts'

/** All that waits of one package, for those who may decide on it. */
export async function stagedListPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  const all = await listStaged(c.env.ports, visitor, name)
  const now = c.env.ports.clock()
  const done = doneNotice(c)
  if (all.length === 0 && done === nothing) throw problem('stage-not-found')
  const main = html`<h1>Staged versions of <a href="${packagePath(name)}">${name}</a></h1>
${done}
${all.length === 0 ? html`<p>Nothing waits for approval.</p>` : table(all, now)}`
  return sheet(c, { title: `Staged versions of ${name}`, main })
}

function doneNotice(c: PageContext): Markup {
  const { query } = c.env.call
  const missing = Number(query.get('missing') ?? 0)
  switch (query.get('done')) {
    case 'published':
      return notice('good', 'Approved, and published')
    case 'held':
      return notice(
        'warn',
        'Approved, and held',
        html`Screening found something in it: nobody gets it before a responder has looked. Its people hear by mail how that ends.`,
      )
    case 'approved':
      return notice(
        'good',
        'Approved',
        html`${plural(missing, 'more person', 'more people')} must approve it before it is published.`,
      )
    case 'rejected':
      return notice('good', 'Rejected: it is gone, and its number is free again')
    default:
      return nothing
  }
}

function table(all: readonly StageView[], now: number): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Staged by</th><th scope="col">When</th><th scope="col">Approvals</th><th scope="col">Ends</th></tr></thead>
<tbody>${all.map(
    ({ staged, stager, approvals, needed }) =>
      html`<tr><td><a href="${stagedPath(staged.package, staged.id)}">${staged.version}</a></td><td><bdi>${stager}</bdi></td><td class="nowrap">${ago(staged.stagedAt, now)}</td><td>${approvals.length} of ${needed}</td><td class="nowrap">${ago(staged.expiresAt, now)}</td></tr>`,
  )}</tbody></table></div>`
}

/** One version with everything that changed, and the two answers. */
export async function stagedPage(c: PageContext): Promise<Response> {
  return show(c, getVisitor(c))
}

/** The answer. An approval is a touch for this version; its page is shown again where it does not hold. */
export async function stagedSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const { ports } = c.env
  const posted = await readForm(c)
  const [name, id] = [parsePackageName(c.req.param('name')), c.req.param('id') ?? '']
  const list = `${packagePath(name)}/staged`
  try {
    if (posted.text('answer') === 'reject') {
      await rejectStaged(ports, visitor, id, posted.text('reason').slice(0, 1000))
      return leadTo(c, `${list}?done=rejected`)
    }
    const { missing, held } = await approveStaged(ports, visitor, id, passkeyAnswer(posted))
    if (missing > 0) return leadTo(c, `${list}?done=approved&missing=${missing}`)
    return leadTo(c, `${list}?done=${held === '' ? 'published' : 'held'}`)
  } catch (error) {
    const trouble = asNotice(error)
    if (trouble.code === 'stage-not-found') throw error
    return show(c, visitor, trouble)
  }
}

async function show(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const review = await reviewStaged(ports, visitor, c.req.param('id') ?? '')
  const { staged, diff, fault } = review
  if (staged.package !== c.req.param('name')) throw problem('stage-not-found')
  const main = html`<div class="title"><h1>${staged.package}</h1>
<p class="badges"><span class="version">${staged.version}</span>${badge('staged', 'plain', '…')}${badge(staged.tag)}
<span class="small">waits for approval; nobody else can see it</span></p></div>
${problemNotice(trouble)}
<h2>What to look at</h2>
${lookAt(review)}
<h2>What screening says</h2>
${screening(review)}
<h2>Files</h2>
${diff === undefined ? notice('bad', `The files cannot be compared: ${fault}`) : fileDiffs(diff)}
<h2>Decide</h2>
${await answers(c, visitor, review)}`
  const facts = sideFacts(review, ports.clock())
  return sheet(c, { title: `${staged.package} ${staged.version}, staged`, main, facts, trouble })
}

function screening({ findings, willBeHeld }: StageReview): Markup {
  return html`${
    willBeHeld === ''
      ? nothing
      : notice(
          'warn',
          'Approved, it will be held',
          html`Nobody gets it then before a responder has looked: ${willBeHeld}.`,
        )
  }
${screeningFindings(findings)}`
}

function lookAt(review: StageReview): Markup {
  const { before, diff, stager, publisherBefore, builtBy, builtByBefore } = review
  const isOther = before !== undefined && publisherBefore !== stager && builtBy !== 'a trusted publisher'
  const items = [
    ...(builtByBefore !== undefined && builtByBefore !== builtBy
      ? [
          findingItem(
            builtBy === 'provenance' || builtByBefore === 'a person' ? 'minor' : 'grave',
            `Built by ${builtBy}; ${before?.version} was by ${builtByBefore}`,
          ),
        ]
      : []),
    ...(isOther
      ? [
          findingItem(
            'notable',
            `From ${stager}; ${before.version} was from ${publisherBefore || 'somebody who is gone'}`,
          ),
        ]
      : []),
    ...(diff === undefined ? [] : findingItems(diff)),
  ]
  const against =
    before === undefined ? 'There is no version before it.' : `Against ${before.version}, the version before.`
  return html`<p class="small">${against}</p>
${items.length === 0 ? html`<p>No new dependency, no other script, nothing hidden. Read the lines below all the same.</p>` : html`<ul class="bare findings">${items}</ul>`}`
}

async function answers(
  c: PageContext,
  visitor: Visitor,
  { staged, approvals }: StageReview,
): Promise<Markup> {
  const action = stagedPath(staged.package, staged.id)
  return html`${await approveForm(
    c,
    visitor,
    action,
    staged.id,
    staged.stagerId === visitor.id,
    approvals.some(each => each.accountId === visitor.id),
  )}
<form class="form" method="post" action="${action}">
${area('reason', 'Why it is turned down', 'Goes to who staged it, and to the other maintainers.', '', 2)}
<button class="plain" type="submit" name="answer" value="reject">Reject</button></form>`
}

async function approveForm(
  c: PageContext,
  visitor: Visitor,
  action: string,
  id: string,
  isOwn: boolean,
  isDone: boolean,
): Promise<Markup> {
  if (isOwn) return html`<p>You staged it: somebody else approves it.</p>`
  if (isDone) return html`<p>You approved it.</p>`
  if (!visitor.hasPasskey)
    return html`<p>To approve it, <a href="/account/passkeys/new">add a passkey</a> first: a code could be talked out of you.</p>`
  const wish = await beginPasskeyApproval(c.env.ports, visitor, { id })
  return html`<form class="form" method="post" action="${action}">
${passkeyButton(c, { kind: 'get', wish, label: 'Approve with your passkey', name: 'answer', value: 'approve' })}</form>`
}

function sideFacts(review: StageReview, now: number): Markup {
  const { staged, stager, approvals, needed, before, diff, builtBy, proof } = review
  return html`<h2 class="unseen">Facts</h2><dl class="facts">
<dt>Staged by</dt><dd><bdi>${stager}</bdi>, ${ago(staged.stagedAt, now)}</dd>
<dt>Waits until</dt><dd>${ago(staged.expiresAt, now)}</dd>
<dt>Approvals</dt><dd>${approvals.length} of ${needed}${approvals.map(each => html`<br>${each.login}, ${ago(each.at, now)}`)}</dd>
<dt>Tag</dt><dd><code>${staged.tag}</code></dd>
<dt>Built by</dt><dd>${builtBy}${proof === undefined ? nothing : html`<br><span class="small"><bdi>${proof.build.repository}</bdi></span>`}</dd>
<dt>Tarball</dt><dd>${formatBytes(staged.sizeBytes)}${before === undefined ? nothing : html` <span class="small">(${formatBytes(before.sizeBytes)} before)</span>`}</dd>
${diff === undefined ? nothing : html`<dt>Unpacked</dt><dd>${formatBytes(diff.afterBytes)} <span class="small">(${formatBytes(diff.beforeBytes)} before)</span></dd>`}
</dl>
<details><summary>Digest, and the bytes</summary><dl class="facts long"><dt>Integrity</dt><dd><code>${formatIntegrity(staged.digest)}</code></dd>
<dt>Download</dt><dd><code>npm stage download ${staged.id}</code></dd></dl></details>`
}
