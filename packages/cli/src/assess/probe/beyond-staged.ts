// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { inviteProbe, openProbeBrowser, type ProbeBrowser } from '../probe-browser.ts'
import {
  describeReply,
  encodeName,
  listVersions,
  makeProbeToken,
  openProbeClient,
  type ProbeClient,
  tarballPath,
} from '../probe-client.ts'
import { makePublishBody } from '../sample-package.ts'
import type { SoftwarePasskey } from '../software-passkey.ts'

/** Stages a version of a package on which two must agree: who staged it cannot, one is not enough, two are. */
export const staged: Probe = { capability: 'beyond-staged', run }

interface Maintainer {
  readonly login: string
  readonly browser: ProbeBrowser
  readonly passkey: SoftwarePasskey
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const name = client.nameOf('staged')
  const [owner, second, third] = [await join(instance), await join(instance), await join(instance)]
  const token = await makeProbeToken(instance, owner.login, name)
  const first = await client.publish({ name, version: '1.0.0', content: 'before' }, token)
  demand(first.status === 201, `the first version must be published: ${describeReply(first)}`)
  await share(owner, name, [second, third])
  const alone = await client.publish({ name, version: '1.1.0' }, token)
  demand(alone.status === 403, `where two must approve nobody publishes alone: ${describeReply(alone)}`)
  const page = await stage(client, name, token)
  await demandHidden(instance, client, name, page)
  await demandDecided(client, name, page, owner, second, third)
  return [
    'where two must approve, a publish by its owner alone is refused',
    'a staged version is in no packument, its tarball answers 404, and its page is not there for strangers',
    'its page shows the changed lines against the version before',
    'whoever staged it cannot approve it, and nobody can without a touch of a passkey',
    'after one approval it is not published, after that of a second person it is',
  ]
}

/** Somebody with a passkey and no password, signed in. */
async function join(instance: ProbeInstance): Promise<Maintainer> {
  const browser = openProbeBrowser(instance)
  const { login, path } = await inviteProbe(instance)
  const { page, passkey } = await browser.create(path, { login })
  demand(page.status === 303, `a passkey must make an account: ${page.status}`)
  return { login, browser, passkey }
}

async function share(owner: Maintainer, name: string, others: readonly Maintainer[]): Promise<void> {
  const path = `/access/npm/${name}`
  for (const { login } of others) {
    const given = await owner.browser.post(path, { act: 'role', login, role: 'maintainer' })
    demand(given.status === 303, `an owner must give a role: ${given.status}`)
  }
  const settings = { act: 'settings', access: 'public', presence: 'none', approvals: '2' }
  const set = await owner.browser.post(path, settings)
  demand(set.status === 303, `an owner must say how many approve: ${set.status}`)
}

async function stage(client: ProbeClient, name: string, token: string): Promise<string> {
  const body = makePublishBody({ name, version: '1.1.0', content: 'after' })
  const reply = await client.ask('POST', `/npm/-/stage/package/${encodeName(name)}`, { token, body })
  demand(reply.status === 201, `a version must be staged: ${describeReply(reply)}`)
  const { stageId } = JSON.parse(reply.body.toString()) as { stageId?: string }
  return `/package/npm/${name}/staged/${stageId}`
}

async function demandHidden(
  instance: ProbeInstance,
  client: ProbeClient,
  name: string,
  page: string,
): Promise<void> {
  const versions = await listVersions(client, name)
  demand(!versions.includes('1.1.0'), 'a staged version must be in no packument')
  const tarball = await client.ask('GET', tarballPath(name, '1.1.0'))
  demand(tarball.status === 404, `the tarball of a staged version must not be there: ${tarball.status}`)
  const stranger = await join(instance)
  const seen = await stranger.browser.get(page)
  demand(seen.status === 404, `strangers must not see the page of a staged version: ${seen.status}`)
}

async function demandDecided(
  client: ProbeClient,
  name: string,
  page: string,
  owner: Maintainer,
  second: Maintainer,
  third: Maintainer,
): Promise<void> {
  const isPublished = async () => (await listVersions(client, name)).includes('1.1.0')
  const { text } = await second.browser.get(page)
  demand(text.includes('+// after') && text.includes('// before'), 'the page must show the changed lines')
  await owner.browser.post(page, { answer: 'approve' })
  await second.browser.post(page, { answer: 'approve' })
  demand(!(await isPublished()), 'without the touch of somebody else nothing must be published')
  const one = await second.browser.touch(page, second.passkey, { answer: 'approve' })
  demand(one.status === 303, `a touch must approve: ${one.status}`)
  await second.browser.post(page, { answer: 'approve' })
  demand(!(await isPublished()), 'one of two approvals must not publish')
  const two = await third.browser.touch(page, third.passkey, { answer: 'approve' })
  demand(two.status === 303, `a touch must approve: ${two.status}`)
  demand(await isPublished(), 'the second approval must publish')
}
