// SPDX-License-Identifier: Apache-2.0
/** `npm stage` as it is: somebody stages, somebody else looks and approves in the browser that npm opens. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import { findApprovalForPage, grantApproval, setPackageRole } from '../../src/flow/index.ts'
import { somebodyTouching, type Touching } from '../passkey-person.ts'
import { openWorld } from '../world.ts'
import { noTerminal, openDesk, type RunOptions } from './client.ts'
import { fails, passes } from './expect.ts'

const world = await openWorld()
const ann = await somebodyTouching(world, 'ann')
const bob = await somebodyTouching(world, 'bob')
const name = 'npm-staged' as PackageName
await world.publish(ann, name, '1.0.0')
await setPackageRole(world.ports, ann.actor, name, 'bob', 'maintainer')
const registry = `${world.url}/npm/`
// A token that may stage and nothing else, and one like that of `npm login`.
const stagesOnly = await world.token(ann, { permission: 'stage-only', packages: [name as never] })
const job = await openDesk('npm', registry, stagesOnly)
const desk = await openDesk('npm', registry, await world.token(bob))
after(async () => {
  await job.remove()
  await desk.remove()
  await world.close()
})

/** The person at the browser that npm opens, who touches their passkey. */
function touching(who: Touching): RunOptions {
  const seen = new Set<string>()
  return {
    terminal: true,
    onOutput(text) {
      const page = /\/login\/cli\/(\w{20,})/.exec(text)?.[1]
      if (page === undefined || seen.has(page)) return
      seen.add(page)
      void approve(who, page)
    },
  }
}

async function approve(who: Touching, page: string): Promise<void> {
  const approval = await findApprovalForPage(world.ports, who.actor, page)
  const passkey = await who.touch(approval.id)
  await grantApproval(world.ports, who.actor, page, { passkey, knowsNetwork: true })
}

/** Stages the next version with a token for that, and gives the id that npm prints. */
async function stage(version: string): Promise<string> {
  await job.folder('package', { name, version, license: 'MIT' }, { 'index.js': `// ${version}\n` })
  const { stdout } = passes(await job.run('package', ['stage', 'publish']))
  return /staged with id ([0-9a-f-]{36})/.exec(stdout)?.[1] ?? assert.fail(stdout)
}

test('npm stage publishes nothing, and lists, shows and downloads what waits', async () => {
  const id = await stage('1.1.0')
  fails(await job.run('package', ['publish']), /E403/)
  assert.match(
    passes(await desk.run('.', ['stage', 'list'])).stdout,
    new RegExp(`id: ${id}[^]*staged by: ann \\(user\\)`),
  )
  const [listed] = JSON.parse(passes(await desk.run('.', ['stage', 'list', name, '--json'])).stdout)
  assert.deepEqual([listed.packageName, listed.version, listed.tag], [name, '1.1.0', 'latest'])
  const { stdout } = passes(await desk.run('.', ['stage', 'view', id]))
  assert.match(stdout, /approvals: 0 of 1/)
  passes(await desk.run('.', ['stage', 'download', id]))
  const bytes = await readFile(join(desk.home, `${name}-1.1.0-${id}.tgz`))
  assert.equal(bytes.length, listed.size)
  assert.equal((await world.npm(`GET /${name}/1.1.0`)).status, 404)
})

test('npm stage approve publishes after a touch in the browser, and not by a code', {
  skip: noTerminal,
}, async () => {
  const [{ id }] = (await world.npm('GET /-/stage', { token: bob.token })).body.items
  fails(await desk.run('.', ['stage', 'approve', id, '--otp=123456']), /passkey/)
  passes(await desk.run('.', ['stage', 'approve', id], touching(bob)))
  const { _npmUser } = (await world.document(name)).versions['1.1.0']
  assert.deepEqual([_npmUser.name, _npmUser.approver.name], ['ann', 'bob'])
  assert.match(passes(await desk.run('.', ['stage', 'list'])).stdout, /No staged packages found/)
})

test('npm stage reject frees the number', { skip: noTerminal }, async () => {
  const id = await stage('1.2.0')
  fails(await job.run('package', ['stage', 'reject', id]), /E403/)
  passes(await desk.run('.', ['stage', 'reject', id], touching(bob)))
  fails(await desk.run('.', ['stage', 'view', id]), /E404/)
  await stage('1.2.0')
})
