// SPDX-License-Identifier: Apache-2.0
/** `npm trust` and `npm publish` as they are, in the environment of CI jobs, against a certified OpenID provider. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Ci, startCi } from './ci.ts'
import { commands, type Desk, isHere, openDesk, type Run } from './client.ts'
import { fails, passes } from './expect.ts'
import { enableTfa, makePerson, signInAs } from './person.ts'
import { type Registry, startRegistry } from './registry.ts'

let ci: Ci
/** A GitLab of one's own. */
let ownCi: Ci
let registry: Registry
/** A person's machine, signed in; and a job's, with nothing. */
let home: Desk
let job: Desk
let codes: string[]

const github = {
  repository: 'acme/widget',
  repository_id: '1001',
  repository_owner: 'acme',
  repository_owner_id: '77',
  workflow_ref: 'acme/widget/.github/workflows/publish.yml@refs/heads/main',
  ref: 'refs/heads/main',
  event_name: 'push',
  runner_environment: 'github-hosted',
  run_id: '4711',
  repository_visibility: 'private',
}
const gitlab = {
  project_path: 'acme/tools/gadget',
  project_id: '31',
  namespace_id: '9',
  ref: 'v1',
  ref_path: 'refs/tags/v1',
  ref_protected: 'true',
  pipeline_source: 'push',
  runner_environment: 'gitlab-hosted',
  pipeline_id: '501',
  job_id: '601',
}

before(async () => {
  ;[ci, ownCi] = await Promise.all([startCi(), startCi()])
  registry = await startRegistry({
    HOLDFAST_CI_ISSUERS: `github=${ci.issuer} gitlab=${ownCi.issuer} circleci`,
    HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
  })
  const person = await makePerson(registry, 'tess')
  const token = await signInAs(registry, person)
  codes = await enableTfa(registry, person, token)
  home = await openDesk('npm', registry.npm, token)
  job = await openDesk('npm', registry.npm)
  await home.folder('.', { name: 'elsewhere', version: '1.0.0' })
})
after(async () => {
  await home?.remove()
  await job?.remove()
  await registry?.stop()
  await ci?.close()
  await ownCi?.close()
})

const trust = (...args: string[]): Promise<Run> => home.run('.', ['trust', ...args, `--otp=${codes.pop()}`])
const widget = ['--repo', 'acme/widget', '--file', 'publish.yml', '--allow-publish', '--yes']

async function publishFrom(
  env: Readonly<Record<string, string>>,
  name: string,
  version: string,
): Promise<Run> {
  await job.folder('package', { name, version, license: 'MIT' })
  return job.run('package', ['publish', '--loglevel=verbose'], { env })
}

test('npm trust github lets a job publish a name that is not there yet, and the next version after it', async () => {
  ci.claims = github
  fails(await publishFrom(ci.github(), 'ci-widget', '1.0.0'), /No trusted publisher of ci-widget/)
  assert.match(passes(await trust('github', 'ci-widget', ...widget)).text, /created successfully/)
  passes(await publishFrom(ci.github(), 'ci-widget', '1.0.0'))
  passes(await publishFrom(ci.github(), 'ci-widget', '1.0.1'))
  const owners = passes(await home.run('.', ['owner', 'ls', 'ci-widget'])).stdout
  assert.match(owners, /^tess /)
  const shown = await registry.call('/ci-widget/1.0.1')
  const { _npmUser } = (await shown.json()) as { _npmUser: unknown }
  assert.deepEqual(_npmUser, { name: 'GitHub Actions', email: '', trustedPublisher: { id: 'github' } })
})

test('another workflow, a pull request of strangers, and a token that was used are refused', async () => {
  ci.claims = { ...github, workflow_ref: 'acme/widget/.github/workflows/test.yml@refs/heads/main' }
  fails(await publishFrom(ci.github(), 'ci-widget', '1.1.0'), /No trusted publisher of ci-widget/)
  ci.claims = { ...github, event_name: 'pull_request_target' }
  fails(await publishFrom(ci.github(), 'ci-widget', '1.1.0'), /pull_request_target run what strangers wrote/)
  ci.claims = github
  passes(await publishFrom(ci.github(), 'ci-widget', '1.1.0'))
  const env = { ...ci.github(), NPM_ID_TOKEN: ci.given.at(-1) ?? '' }
  fails(await publishFrom(env, 'ci-widget', '1.1.1'), /was used before/)
})

test('npm trust lists what is trusted, and revokes it', async () => {
  const listed = JSON.parse(passes(await trust('list', 'ci-widget', '--json')).stdout)
  assert.deepEqual([listed.type, listed.repository, listed.file], ['github', 'acme/widget', 'publish.yml'])
  passes(await trust('revoke', 'ci-widget', '--id', listed.id))
  fails(await publishFrom(ci.github(), 'ci-widget', '1.2.0'), /No trusted publisher of ci-widget/)
  assert.match(passes(await trust('list', 'ci-widget')).text, /No trust configurations found/)
})

test('npm trust circleci and gitlab keep what npm asks for', async () => {
  const id = (last: number) => `7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b${last}`
  const circle = ['--org-id', id(1), '--project-id', id(2), '--pipeline-definition-id', id(3)]
  const origin = ['--vcs-origin', 'github.example/acme/widget', '--context-id', id(4)]
  passes(await trust('circleci', 'ci-circle', ...circle, ...origin, '--allow-publish', '--yes'))
  const project = ['--project', 'acme/tools/gadget', '--file', '.gitlab-ci.yml', '--environment', 'prod']
  passes(await trust('gitlab', 'ci-gitlab', ...project, '--allow-publish', '--yes'))
  const [listed] = [JSON.parse(passes(await trust('list', 'ci-circle', '--json')).stdout)]
  assert.deepEqual([listed.orgId, listed.projectId, listed.contextIds], [id(1), id(2), [id(4)]])
  assert.match(passes(await trust('list', 'ci-gitlab')).text, /acme\/tools\/gadget/)
})

test("a job of a GitLab of one's own publishes with the token of its id_tokens", async () => {
  const project = ['--project', 'acme/tools/gadget', '--file', '.gitlab-ci.yml']
  passes(await trust('gitlab', 'ci-gadget', ...project, '--allow-publish', '--yes'))
  const file = `${new URL(ownCi.issuer).host}/acme/tools/gadget//.gitlab-ci.yml@refs/tags/v1`
  ownCi.claims = { ...gitlab, ci_config_ref_uri: file }
  passes(await publishFrom(ci.gitlab(await ownCi.token('npm:127.0.0.1')), 'ci-gadget', '1.0.0'))
  ownCi.claims = { ...gitlab, ci_config_ref_uri: file, project_id: '32' }
  const resurrected = ci.gitlab(await ownCi.token('npm:127.0.0.1'))
  fails(await publishFrom(resurrected, 'ci-gadget', '1.0.1'), /No trusted publisher of ci-gadget/)
})

test('pnpm and yarn publish from a job of GitHub by themselves, without a token', async () => {
  const name = 'ci-others'
  passes(await trust('github', name, ...widget))
  ci.claims = github
  for (const [at, kind] of (['pnpm', 'berry'] as const).filter(isHere).entries()) {
    const other = await openDesk(kind, registry.npm)
    try {
      await other.folder('.', { name, version: `1.0.${at}`, license: 'MIT' })
      if (kind === 'berry') passes(await other.run('.', commands[kind].install))
      passes(await other.run('.', commands[kind].publish, { env: ci.github() }))
      assert.equal((await registry.call(`/${name}/1.0.${at}`)).status, 200)
    } finally {
      await other.remove()
    }
  }
})

test('who does not own the package, or has no second factor at hand, changes nothing', async () => {
  const stranger = await makePerson(registry, 'stan')
  await home.configure(await signInAs(registry, stranger))
  const name = 'ci-widget'
  fails(await home.run('.', ['trust', 'github', name, ...widget]), /E403/)
})
