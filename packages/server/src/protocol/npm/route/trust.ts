// SPDX-License-Identifier: Apache-2.0
/** Trusted publishing in npm's words (protocol reference, section 10). */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  addPublisher,
  exchangeJobToken,
  listPublishers,
  type PublisherRequest,
  removePublisher,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { PublisherRule, TrustedPublisher } from '../../../identity/index.ts'
import type { Ports } from '../../../ports.ts'
import { json } from '../answer.ts'
import { packageOf, part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'
import { fromOf } from './login.ts'

export const trustRoutes: readonly Route[] = [
  // The credential is the job's identity token, which is none of ours.
  route('POST /-/npm/v1/oidc/token/exchange/package/:pkg', exchange, { openToBadCredentials: true }),
  route('GET /-/package/:pkg/trust', list),
  route('POST /-/package/:pkg/trust', add),
  route('DELETE /-/package/:pkg/trust/:id', remove),
]

const text = v.pipe(v.string(), v.maxLength(255))
const file = v.object({ file: text })
const environment = v.nullish(text)
const circle = 'oidc.circleci.com/'
/** What npm sends; what only we know (`ref`, ids, own runners) may stand beside it. */
const more = {
  issuer: v.nullish(text),
  repositoryId: v.nullish(text),
  ownerId: v.nullish(text),
  ref: v.nullish(text),
  protectedRef: v.nullish(v.boolean()),
  ownRunners: v.nullish(v.boolean()),
  permissions: v.optional(
    v.pipe(v.array(v.picklist(['createPackage', 'createStagedPackage'])), v.minLength(1)),
    ['createPackage'],
  ),
}
const github = v.object({
  type: v.literal('github'),
  claims: v.object({ repository: text, workflow_ref: file, environment }),
  ...more,
})
const gitlab = v.object({
  type: v.literal('gitlab'),
  claims: v.object({ project_path: text, ci_config_ref_uri: file, environment }),
  ...more,
})
const circleci = v.object({
  type: v.literal('circleci'),
  claims: v.object({
    [`${circle}org-id`]: text,
    [`${circle}project-id`]: text,
    [`${circle}pipeline-definition-id`]: text,
    [`${circle}vcs-origin`]: text,
    [`${circle}context-ids`]: v.nullish(v.pipe(v.array(text), v.maxLength(20))),
  }),
  ...more,
})
const generic = v.object({ type: v.literal('generic'), claims: v.record(text, text), ...more })
const wanted = v.variant('type', [github, gitlab, circleci, generic])
type Wanted = v.InferOutput<typeof wanted>

async function exchange(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const [scheme = '', jwt = ''] = (call.headers.authorization ?? '').split(/\s+/, 2)
  if (scheme.toLowerCase() !== 'bearer' || jwt === '')
    throw problem('job-token-invalid', { why: 'there is none in the request' })
  const { secret, token } = await exchangeJobToken(ports, jwt, packageOf(params), fromOf(call))
  const expires = new Date(token.expiresAt ?? 0).toISOString()
  return json(201, { token_id: token.id, token: secret, token_type: 'oidc', expires })
}

async function list(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const publishers = await listPublishers(ports, call.actor, packageOf(params))
  return json(200, publishers.map(publisherBody))
}

/** npm sends a list of one. */
async function add(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const [body] = await readBody(call, v.pipe(v.array(wanted), v.length(1)))
  const made = await addPublisher(ports, call.actor, packageOf(params), requestOf(body as Wanted))
  return json(201, [publisherBody(made)])
}

async function remove(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await removePublisher(ports, call.actor, packageOf(params), part(params, 'id'))
  return json(200, {})
}

function requestOf(body: Wanted): PublisherRequest {
  const { repositoryId, ownerId, ref, protectedRef, ownRunners } = body
  const shared = { repositoryId, ownerId, ref, protectedRef, ownRunners }
  const rule = { ...withoutNull(shared), ...ruleOf(body) }
  return { provider: body.type, issuer: body.issuer ?? undefined, rule, permissions: body.permissions }
}

function ruleOf(body: Wanted): PublisherRule {
  switch (body.type) {
    case 'github': {
      const { repository, workflow_ref, environment } = body.claims
      return { repository, workflow: workflow_ref.file, environment: environment ?? undefined }
    }
    case 'gitlab': {
      const { project_path, ci_config_ref_uri, environment } = body.claims
      return {
        repository: project_path,
        workflow: ci_config_ref_uri.file,
        environment: environment ?? undefined,
      }
    }
    case 'circleci': {
      const { claims } = body
      return {
        repository: claims[`${circle}vcs-origin`],
        repositoryId: claims[`${circle}project-id`],
        ownerId: claims[`${circle}org-id`],
        workflow: claims[`${circle}pipeline-definition-id`],
        contexts: claims[`${circle}context-ids`] ?? undefined,
      }
    }
    case 'generic':
      return { repository: '', workflow: '', claims: body.claims }
  }
}

/** As npm prints it, with what only we know beside it. */
export function publisherBody(publisher: TrustedPublisher): Record<string, unknown> {
  const { id, provider, issuer, permissions, rule, pendingUntil, lastUsedAt } = publisher
  const { repositoryId, ownerId, ref, protectedRef, ownRunners } = rule
  return {
    id,
    type: provider,
    issuer,
    permissions,
    claims: claimsOf(publisher),
    ...withoutNull({ repositoryId, ownerId, ref, protectedRef, ownRunners }),
    ...(pendingUntil === null ? {} : { pendingUntil: new Date(pendingUntil).toISOString() }),
    lastUsed: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }
}

function claimsOf({ provider, rule }: TrustedPublisher): Record<string, unknown> {
  const environment = rule.environment === undefined ? {} : { environment: rule.environment }
  switch (provider) {
    case 'github':
      return { repository: rule.repository, workflow_ref: { file: rule.workflow }, ...environment }
    case 'gitlab':
      return { project_path: rule.repository, ci_config_ref_uri: { file: rule.workflow }, ...environment }
    case 'circleci':
      return {
        [`${circle}org-id`]: rule.ownerId,
        [`${circle}project-id`]: rule.repositoryId,
        [`${circle}pipeline-definition-id`]: rule.workflow,
        [`${circle}vcs-origin`]: rule.repository,
        ...(rule.contexts === undefined ? {} : { [`${circle}context-ids`]: rule.contexts }),
      }
    case 'generic':
      return { ...rule.claims }
  }
}

function withoutNull(given: Readonly<Record<string, unknown>>): Partial<PublisherRule> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null))
}
