// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem, type PackageName } from '@holdfast/core'
import type { CiIssuer } from '../config.ts'
import { type Claims, readJobFacts } from './job-facts.ts'
import {
  explainMismatch,
  findPublisher,
  type PublisherRule,
  type TrustedPublisher,
} from './trusted-publisher.ts'

const gitlab: CiIssuer = { provider: 'gitlab', issuer: 'https://git.acme.example', claims: [] }
const circleci: CiIssuer = { provider: 'circleci', issuer: 'https://oidc.circle.example', claims: [] }
const generic: CiIssuer = {
  provider: 'generic',
  issuer: 'https://ci.acme.example',
  claims: ['sub', 'project'],
}
const org = '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b1'
const otherOrg = '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b9'
const circle = (name: string) => `oidc.circleci.com/${name}`

const gitlabClaims: Claims = {
  iss: gitlab.issuer,
  sub: 'project_path:acme/tools/widget:ref_type:tag:ref:v1',
  project_path: 'acme/tools/widget',
  project_id: '31',
  namespace_id: 9,
  ci_config_ref_uri: 'git.acme.example/acme/tools/widget//ci/publish.yml@refs/tags/v1',
  ref_path: 'refs/tags/v1',
  ref_protected: 'true',
  pipeline_source: 'push',
  runner_environment: 'gitlab-hosted',
  pipeline_id: '501',
  job_id: '601',
  sha: 'a'.repeat(40),
}
const circleClaims: Claims = {
  iss: `${circleci.issuer}/org/${org}`,
  sub: `org/${org}/project/p/user/u`,
  [circle('project-id')]: 'p',
  [circle('pipeline-definition-id')]: 'd',
  [circle('vcs-origin')]: 'github.example/acme/widget',
  [circle('vcs-ref')]: 'refs/heads/main',
  [circle('context-ids')]: ['c1', 'c2'],
}

function refuses(issuer: CiIssuer, claims: Claims, why: RegExp): void {
  const isExpected = (error: unknown) =>
    isProblem(error) && error.code === 'job-token-invalid' && why.test(error.message)
  assert.throws(() => readJobFacts(issuer, claims), isExpected, JSON.stringify(claims))
}

test('a job of GitLab is read, numbers as text, with its pipeline file', () => {
  const job = readJobFacts(gitlab, gitlabClaims)
  assert.deepEqual(
    [
      job.repository,
      job.repositoryId,
      job.ownerId,
      job.workflow,
      job.ref,
      job.protectedRef,
      job.runner,
      job.run,
    ],
    ['acme/tools/widget', '31', '9', 'ci/publish.yml', 'refs/tags/v1', true, 'hosted', '501/601'],
  )
})

test('a pipeline file of another project, host or ref, or one that leads elsewhere, is refused', () => {
  for (const uri of [
    'git.acme.example/evil/widget//ci/publish.yml@refs/tags/v1',
    'git.evil.example/acme/tools/widget//ci/publish.yml@refs/tags/v1',
    'git.acme.example/acme/tools/widget//ci/publish.yml@refs/heads/main',
    'git.acme.example/acme/tools/widget//ci/../publish.yml@refs/tags/v1',
    'git.acme.example/acme/tools/widget//@refs/tags/v1',
    'git.acme.example/acme/tools/widget/ci/publish.yml@refs/tags/v1',
    null,
  ])
    refuses(gitlab, { ...gitlabClaims, ci_config_ref_uri: uri }, /ci_config_ref_uri/)
})

test('every claim of GitLab and CircleCI that decides must be there and be one value', () => {
  const { iss: _iss, sha: _sha, ...deciding } = gitlabClaims
  for (const claim of Object.keys(deciding))
    for (const value of [undefined, '', null, ['x'], { a: 1 }])
      refuses(gitlab, { ...gitlabClaims, [claim]: value }, /claim/)
  for (const claim of [circle('project-id'), circle('pipeline-definition-id'), circle('vcs-origin'), 'sub'])
    for (const value of [undefined, '', ['x']])
      refuses(circleci, { ...circleClaims, [claim]: value }, /claim/)
})

test('a claim that every object has by birth is not there', () => {
  refuses(
    { ...generic, claims: ['constructor'] },
    { iss: generic.issuer, sub: 'a' },
    /constructor is missing/,
  )
})

test('CircleCI says its organisation in three places, which must agree; a job with a shell is refused', () => {
  assert.equal(readJobFacts(circleci, circleClaims).ownerId, org)
  const plain = { ...circleClaims, iss: circleci.issuer, sub: 'runner' }
  assert.equal(readJobFacts(circleci, { ...plain, [circle('org-id')]: org }).ownerId, org)
  refuses(circleci, plain, /one organisation/)
  refuses(circleci, { ...circleClaims, [circle('org-id')]: otherOrg }, /one organisation/)
  refuses(circleci, { ...circleClaims, sub: `org/${otherOrg}/project/p` }, /one organisation/)
  for (const value of [true, 'true'])
    refuses(circleci, { ...circleClaims, [circle('ssh-rerun')]: value }, /SSH/)
})

test('a generic job shows every claim that the operator named, and nothing more counts', () => {
  const job = readJobFacts(generic, { iss: generic.issuer, sub: 'job-1', project: 'acme', admin: 'yes' })
  assert.deepEqual(job.claims, { sub: 'job-1', project: 'acme' })
  refuses(generic, { iss: generic.issuer, sub: 'job-1' }, /project is missing/)
})

function publisher(issuer: CiIssuer, rule: Partial<PublisherRule>, id = 'tp_1'): TrustedPublisher {
  return {
    id,
    package: 'widget' as PackageName,
    provider: issuer.provider,
    issuer: issuer.issuer,
    rule: { repository: '', workflow: '', ...rule },
    permissions: ['createPackage'],
    createdAt: 0,
    createdBy: 'a_1',
    pendingUntil: null,
    startsAt: 0,
    lastUsedAt: null,
  }
}

test('contexts must all be there, generic claims must all be equal', () => {
  const job = readJobFacts(circleci, circleClaims)
  const rule = { repository: 'github.example/acme/widget', repositoryId: 'p', ownerId: org, workflow: 'd' }
  assert.equal(explainMismatch(publisher(circleci, { ...rule, contexts: ['c1'] }), job), undefined)
  assert.equal(explainMismatch(publisher(circleci, { ...rule, contexts: ['c1', 'c3'] }), job), 'its contexts')
  const own = readJobFacts(generic, { iss: generic.issuer, sub: 'job-1', project: 'acme' })
  assert.equal(
    explainMismatch(publisher(generic, { claims: { sub: 'job-1', project: 'acme' } }), own),
    undefined,
  )
  assert.equal(
    explainMismatch(publisher(generic, { claims: { sub: 'job-1', project: 'acme2' } }), own),
    'its claim project',
  )
})

test('GitLab tells environments apart by case, and the publisher with an environment comes first', () => {
  const job = readJobFacts(gitlab, { ...gitlabClaims, environment: 'prod' })
  const rule = { repository: 'acme/tools/widget', workflow: 'ci/publish.yml' }
  const upper = publisher(gitlab, { ...rule, environment: 'Prod' })
  assert.equal(explainMismatch(upper, job), 'its environment')
  const [any, exact] = [
    publisher(gitlab, rule, 'tp_any'),
    publisher(gitlab, { ...rule, environment: 'prod' }, 'tp_exact'),
  ]
  assert.equal(findPublisher([any, exact], job)?.id, 'tp_exact')
})
