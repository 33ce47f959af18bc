// SPDX-License-Identifier: Apache-2.0
/** `npm publish --provenance` and `--provenance-file` as they are, and `npm audit signatures` over the result, on loopback alone. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openSigstoreBox, publicAuthority, type SigstoreBox } from '../sigstore-box.ts'
import { type Ci, startCi } from './ci.ts'
import { type Desk, openDesk } from './client.ts'
import { fails, passes } from './expect.ts'
import { enableTfa, makePerson, signInAs } from './person.ts'
import { type Registry, startRegistry } from './registry.ts'
import { openSigstoreHost, type SigstoreHost } from './sigstore-host.ts'

let ci: Ci
let box: SigstoreBox
let sigstore: SigstoreHost
let registry: Registry
let home: Desk
let codes: string[]

const commit = 'a'.repeat(40)
const workflow = 'acme/widget/.github/workflows/publish.yml@refs/heads/main'
const claims = {
  repository: 'acme/widget',
  repository_id: '1001',
  repository_owner: 'acme',
  repository_owner_id: '77',
  repository_visibility: 'public',
  workflow_ref: workflow,
  job_workflow_ref: workflow,
  ref: 'refs/heads/main',
  sha: commit,
  event_name: 'push',
  runner_environment: 'github-hosted',
  run_id: '4711',
  run_attempt: '1',
}
/** What the runner tells npm of the same job. */
const runner = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/widget',
  GITHUB_REPOSITORY_ID: '1001',
  GITHUB_REPOSITORY_OWNER_ID: '77',
  GITHUB_WORKFLOW_REF: workflow,
  GITHUB_REF: 'refs/heads/main',
  GITHUB_SHA: commit,
  GITHUB_EVENT_NAME: 'push',
  GITHUB_RUN_ID: '4711',
  GITHUB_RUN_ATTEMPT: '1',
}
const repository = 'github:acme/widget'

before(async () => {
  ;[ci, box] = await Promise.all([startCi(), openSigstoreBox(publicAuthority)])
  sigstore = await openSigstoreHost(box, ci.issuer)
  registry = await startRegistry({
    HOLDFAST_CI_ISSUERS: `github=${ci.issuer}`,
    HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
    HOLDFAST_SIGSTORE_TRUST_ROOT: box.rootFile,
  })
  const person = await makePerson(registry, 'pia')
  const token = await signInAs(registry, person)
  codes = await enableTfa(registry, person, token)
  home = await openDesk('npm', registry.npm, token)
  await home.folder('.', { name: 'elsewhere', version: '1.0.0' })
})
after(async () => {
  await home?.remove()
  await registry?.stop()
  await sigstore?.close()
  await ci?.close()
})

const otp = () => `--otp=${codes.pop()}`

/** A job of `acme/widget` on a machine of its own, as its claims say. */
async function publishFromCi(name: string, version: string, ...args: string[]) {
  const job = await openDesk('npm', registry.npm)
  try {
    await job.folder('package', { name, version, license: 'MIT', repository })
    const env = { ...ci.github(), ...runner, ...(await sigstore.env(job.home)) }
    return await job.run('package', ['publish', '--access', 'public', '--loglevel=verbose', ...args], { env })
  } finally {
    await job.remove()
  }
}

test('a CI job publishes with provenance that npm makes by itself, and every npm verifies it', async () => {
  ci.claims = claims
  const widget = ['--repo', 'acme/widget', '--file', 'publish.yml', '--allow-publish', '--yes']
  passes(await home.run('.', ['trust', 'github', 'built-widget', ...widget, otp()]))
  const run = passes(await publishFromCi('built-widget', '1.0.0', '--provenance'))
  assert.ok(
    sigstore.asked.some(each => each.includes('rekor.sigstore.dev/api/v1/log/entries')),
    run.text,
  )
  const document = (await (await registry.call('/built-widget')).json()) as {
    versions: Record<string, { dist: { attestations?: { url: string } } }>
  }
  const { attestations } = document.versions['1.0.0']?.dist ?? {}
  assert.match(attestations?.url ?? '', /\/npm\/-\/npm\/v1\/attestations\/built-widget@1\.0\.0$/)
  const env = await sigstore.env(home.home)
  await sigstore.trustIn(home.home)
  await home.folder('user', { name: 'user', version: '1.0.0', dependencies: { 'built-widget': '1.0.0' } })
  passes(await home.run('user', ['install']))
  const audit = passes(await home.run('user', ['audit', 'signatures'], { env }))
  assert.match(audit.text, /1 package has a verified registry signature/)
  assert.match(audit.text, /1 package has a verified attestation/)
})

test('a job of another run is told why its provenance is refused', async () => {
  ci.claims = { ...claims, sha: 'b'.repeat(40) }
  fails(
    await publishFromCi('built-widget', '1.0.1', '--provenance'),
    /another commit than its certificate.*Nothing was published/s,
  )
  ci.claims = claims
})

test('what was built once is not published without it', async () => {
  await home.folder('plain', { name: 'built-widget', version: '1.1.0', license: 'MIT' })
  fails(
    await home.run('plain', ['publish', otp()]),
    /E403.*proves less than the package did before: earlier versions came with provenance/s,
  )
})

test('npm publish --provenance-file verifies a bundle itself, then sends it as it is', async () => {
  const name = 'filed-widget'
  await home.folder('filed', { name, version: '1.0.0', license: 'MIT' })
  const packed = JSON.parse(passes(await home.run('filed', ['pack', '--json'])).stdout)
  const bytes = await readFile(join(home.home, 'filed', packed[0].filename))
  const digest = createHash('sha512').update(bytes).digest('hex')
  await writeFile(join(home.home, 'filed/bundle.json'), await box.sign({ name, version: '1.0.0', digest }))
  const file = packed[0].filename
  const args = ['publish', file, '--provenance-file=bundle.json', '--access', 'public']
  const env = await sigstore.env(home.home)
  await sigstore.trustIn(home.home)
  const run = passes(await home.run('filed', [...args, otp()], { env }))
  assert.match(run.text, /npm notice .*declares no repository/)
  const told = await registry.call(`/-/attestations/v1/${name}@1.0.0`)
  const { attestations } = (await told.json()) as { attestations: { bundle: unknown }[] }
  const sent = await readFile(join(home.home, 'filed/bundle.json'), 'utf8')
  assert.deepEqual(attestations[0]?.bundle, JSON.parse(sent))
})
