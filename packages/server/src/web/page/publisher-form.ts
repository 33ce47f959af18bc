// SPDX-License-Identifier: Apache-2.0
/** What each CI service calls the parts of a trusted publisher. */
import type { CiIssuer, CiProvider } from '../../config.ts'
import type { PublisherRule } from '../../identity/index.ts'
import type { Form } from '../form.ts'
import { html, type Markup } from '../markup.ts'
import { area, checks, type Field, field } from '../part/field.ts'

/** The fields for jobs of one issuer, with what was typed. */
export function publisherFields(issuer: CiIssuer, posted: Form | undefined): Markup {
  const typed = (about: Field) => field({ ...about, value: posted?.text(about.name) ?? '' })
  switch (issuer.provider) {
    case 'github':
      return html`${typed({ name: 'repository', label: 'Repository', hint: html`Such as <code>acme/widget</code>.` })}
${typed({ name: 'workflow', label: 'Workflow file', hint: html`Its name in <code>.github/workflows</code>, such as <code>publish.yml</code>.` })}
${typed({ name: 'environment', label: 'Environment', isOptional: true, hint: 'With reviewers on it, a push alone publishes nothing.' })}
${conditions(typed, posted)}`
    case 'gitlab':
      return html`${typed({ name: 'repository', label: 'Project', hint: html`Its path, such as <code>acme/tools/widget</code>.` })}
${typed({ name: 'workflow', label: 'Pipeline file', hint: html`Such as <code>.gitlab-ci.yml</code>.` })}
${typed({ name: 'environment', label: 'Environment', isOptional: true })}
${conditions(typed, posted)}`
    case 'circleci':
      return html`${typed({ name: 'repository', label: 'Origin', hint: html`Without scheme, such as <code>github.example/acme/widget</code>.` })}
${typed({ name: 'ownerId', label: 'Organisation id' })}${typed({ name: 'repositoryId', label: 'Project id' })}
${typed({ name: 'workflow', label: 'Pipeline definition id' })}
${area('contexts', 'Context ids', 'The job must have all of them.', posted?.text('contexts') ?? '', 2)}
${typed(refField)}`
    case 'generic':
      return html`${issuer.claims.map(claim => typed({ name: `claim:${claim}`, label: `Claim ${claim}`, hint: 'The exact value that a token must have.' }))}`
  }
}

const refField: Field = {
  name: 'ref',
  label: 'Ref',
  isOptional: true,
  hint: html`Such as <code>refs/heads/main</code>, or <code>refs/tags/v*</code>.`,
}

function conditions(typed: (about: Field) => Markup, posted: Form | undefined): Markup {
  const ids = html`<details><summary>Ids</summary><p class="small">Empty: the first job that fits fixes them. A name that is given up can be registered by others, an id cannot.</p>
${typed({ name: 'repositoryId', label: 'Repository id', isOptional: true })}${typed({ name: 'ownerId', label: 'Owner id', isOptional: true })}</details>`
  return html`${typed(refField)}
${checks(
  'condition',
  'Conditions',
  [
    ['protectedRef', 'only from protected refs'],
    ['ownRunners', 'also on runners of your own, which keep what earlier jobs left'],
  ],
  posted?.all('condition') ?? [],
)}
${ids}`
}

/** What was typed, as a rule; whether it can be one is decided further in. */
export function publisherRule(provider: CiProvider, posted: Form): PublisherRule {
  const text = (name: string) => posted.text(name) || undefined
  if (provider === 'generic') return { repository: '', workflow: '', claims: claimsOf(posted) }
  return {
    repository: posted.text('repository'),
    workflow: posted.text('workflow'),
    repositoryId: text('repositoryId'),
    ownerId: text('ownerId'),
    environment: text('environment'),
    ref: text('ref'),
    protectedRef: posted.all('condition').includes('protectedRef') || undefined,
    ownRunners: posted.all('condition').includes('ownRunners') || undefined,
    contexts: posted.words('contexts'),
  }
}

function claimsOf(posted: Form): Readonly<Record<string, string>> {
  const names = posted.names().filter(name => name.startsWith('claim:'))
  return Object.fromEntries(names.map(name => [name.slice('claim:'.length), posted.text(name)]))
}
