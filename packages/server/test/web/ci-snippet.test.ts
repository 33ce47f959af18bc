// SPDX-License-Identifier: Apache-2.0
/** The steps of every CI snippet that signs in by identity, taken out of the page and run as a job of that service. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { addReader } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts, readConfig } from '../../src/main.ts'
import { type Ci, startCi } from '../client/ci.ts'
import { type Desk, openDesk } from '../client/client.ts'
import { passes } from '../client/expect.ts'
import { makePerson, signInAs } from '../client/person.ts'
import { type Registry, startRegistry } from '../client/registry.ts'

const clone = fileURLToPath(new URL('../../../..', import.meta.url))
const hidden = '@acme/hidden'
const org = '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b1'
const services = ['github', 'gitlab', 'circleci', 'jenkins'] as const
let cis: Readonly<Record<(typeof services)[number], Ci>>
let registry: Registry
let desk: Desk

before(async () => {
  const [github, gitlab, circleci, jenkins] = await Promise.all([startCi(), startCi(), startCi(), startCi()])
  cis = { github, gitlab, circleci, jenkins }
  const environment = {
    HOLDFAST_CI_ISSUERS: `github=${github.issuer} gitlab=${gitlab.issuer} circleci=${circleci.issuer} generic:sub=${jenkins.issuer}`,
    HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
    HOLDFAST_MFA: 'optional',
  }
  registry = await startRegistry(environment)
  await registry.operate('host', '@acme/*')
  const person = await makePerson(registry, 'sami')
  await person.createOrg('acme')
  const token = await signInAs(registry, person)
  await registry.publish({ name: hidden, version: '1.0.0', access: 'restricted' }, token)
  await trustJobs(environment)
  desk = await openDesk('npm', 'http://127.0.0.1:9/', token)
  const manifest = {
    name: 'app',
    version: '1.0.0',
    dependencies: { [hidden]: '^1.0.0' },
    scripts: { test: 'node -e 0' },
  }
  await desk.folder('app', manifest)
  await desk.configure(undefined, {
    '@acme:registry': registry.npm,
    [`${registry.npm.replace('http:', '')}:_authToken`]: token,
  })
  passes(await desk.run('app', ['install']))
  await desk.configure(undefined)
  const circle = join(desk.home, 'circleci')
  await writeFile(circle, '#!/bin/sh\ncat "$HOME/circle-token"\n')
  await chmod(circle, 0o755)
})
after(async () => {
  await desk?.remove()
  await registry?.stop()
  for (const ci of Object.values(cis ?? {})) await ci.close()
})

/** As the owner does on the page of machines. */
async function trustJobs(environment: Readonly<Record<string, string>>): Promise<void> {
  const flags = { data: registry.data, publicUrl: registry.url }
  const { ports, close } = await openPorts(readConfig(flags, environment))
  await addReader(ports, operator, 'acme', { provider: 'github', ownerId: '77' })
  await addReader(ports, operator, 'acme', { provider: 'gitlab', ownerId: '9' })
  await addReader(ports, operator, 'acme', { provider: 'circleci', ownerId: org })
  await addReader(ports, operator, 'acme', { provider: 'generic', ownerId: '', claims: { sub: 'runner' } })
  await close()
}

/** Runs the lines of a job: the sign-in in a shell, from this very clone, the rest with npm. */
async function runs(lines: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  assert.equal(lines.length, 3)
  await desk.configure(undefined)
  await desk.forget('app')
  for (const line of lines) {
    const [program, ...args] = line.split(' ')
    if (program === 'npm') passes(await desk.run('app', args))
    else await signIn(line, env)
  }
  assert.equal((await desk.installed('app', hidden))?.['version'], '1.0.0')
}

async function signIn(line: string, env: Readonly<Record<string, string>>): Promise<void> {
  const path = `${desk.home}:${dirname(process.execPath)}:/usr/bin:/bin`
  await mkdir(desk.home, { recursive: true })
  await promisify(execFile)('sh', ['-c', line], {
    env: { PATH: path, HOME: desk.home, HOLDFAST_HOME: clone, ...env },
  })
}

interface Step {
  readonly run?: string
}
const runsOf = (steps: readonly (Step | string)[]) =>
  steps.flatMap(step => (typeof step === 'object' && step.run !== undefined ? [step.run] : []))

test('a job of GitHub Actions installs by its identity', async () => {
  const workflow = parse(await snippetOf('github-login')) as {
    permissions: Record<string, string>
    jobs: { test: { steps: Step[] } }
  }
  assert.equal(workflow.permissions['id-token'], 'write')
  cis.github.claims = {
    repository: 'acme/app',
    repository_id: '5',
    repository_owner_id: '77',
    workflow_ref: 'acme/app/.github/workflows/test.yml@refs/heads/main',
    ref: 'refs/heads/main',
    event_name: 'push',
    runner_environment: 'self-hosted',
    run_id: '1',
  }
  await runs(runsOf(workflow.jobs.test.steps), cis.github.github())
})

test('a job of GitLab CI installs by its identity', async () => {
  const { test: job } = parse(await snippetOf('gitlab-login')) as {
    test: { id_tokens: { HOLDFAST_ID_TOKEN: { aud: string } }; script: string[] }
  }
  const host = new URL(cis.gitlab.issuer).host
  cis.gitlab.claims = {
    project_path: 'acme/app',
    project_id: '31',
    namespace_id: '9',
    ref_path: 'refs/heads/main',
    ref_protected: 'false',
    pipeline_source: 'push',
    runner_environment: 'self-hosted',
    pipeline_id: '1',
    job_id: '2',
    ci_config_ref_uri: `${host}/acme/app//.gitlab-ci.yml@refs/heads/main`,
  }
  await runs(job.script, { HOLDFAST_ID_TOKEN: await cis.gitlab.token(job.id_tokens.HOLDFAST_ID_TOKEN.aud) })
})

test('a job of CircleCI installs by its identity', async () => {
  const config = parse(await snippetOf('circle-login')) as { jobs: { test: { steps: (Step | string)[] } } }
  cis.circleci.claims = {
    'oidc.circleci.com/org-id': org,
    'oidc.circleci.com/project-id': '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b2',
    'oidc.circleci.com/pipeline-definition-id': '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b3',
    'oidc.circleci.com/vcs-origin': 'github.example/acme/app',
  }
  await writeFile(join(desk.home, 'circle-token'), await cis.circleci.token('npm:127.0.0.1'))
  await runs(runsOf(config.jobs.test.steps), { CIRCLECI: 'true' })
})

test('a job of Jenkins installs by its identity', async () => {
  const lines = [...(await snippetOf('jenkins-login')).matchAll(/sh '([^']+)'/g)].map(([, line = '']) => line)
  await runs(lines, { HOLDFAST_ID_TOKEN: await cis.jenkins.token('npm:127.0.0.1') })
})

async function snippetOf(id: string): Promise<string> {
  const body = await (await fetch(`${registry.url}/use`)).text()
  const form = new RegExp(
    `<div class="snippet" data-copy id="${id}">(?:<div class="label">[^<]*</div>)?<pre[^>]*><code>([^<]*)</code>`,
  )
  const signs: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  const text = form.exec(body)?.[1] ?? assert.fail(`no snippet ${id}`)
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => signs[name] ?? '')
}
