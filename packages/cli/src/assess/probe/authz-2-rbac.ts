// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { openProbeBrowser, type ProbeBrowser } from '../probe-browser.ts'
import {
  describeReply,
  encodeName,
  openProbeClient,
  type ProbeClient,
  type Reply,
  readObject,
} from '../probe-client.ts'

/** Managing people and publishing are separate roles, on packages and in organisations: each role does what is its, and no more. */
export const rbac: Probe = { capability: 'authz-2-rbac', run }

const roles = ['reader', 'triager', 'maintainer', 'owner'] as const
type Role = (typeof roles)[number] | 'stranger'

/** The package of one matrix, and what is done to it. */
interface Scene {
  readonly client: ProbeClient
  readonly name: string
  readonly owner: ProbeAccount
  readonly people: ReadonlyMap<Role, ProbeAccount>
}

type Act = readonly [what: string, least: Role, act: (scene: Scene, token: string) => Promise<Reply>]

const acts: readonly Act[] = [
  [
    'reading',
    'reader',
    ({ client, name }, token) => client.ask('GET', `/npm/${encodeName(name)}`, { token }),
  ],
  ['deprecating', 'triager', deprecate],
  ['setting a tag', 'maintainer', (scene, token) => ask(scene, token, 'PUT', 'dist-tags/probe', '"1.0.0"')],
  ['publishing', 'maintainer', publish],
  [
    'giving ownership',
    'owner',
    ({ client, name, owner }, token) =>
      ask({ client, name }, token, 'PUT', 'owners', JSON.stringify({ user: owner.login })),
  ],
  [
    'changing who may read',
    'owner',
    (scene, token) => ask(scene, token, 'POST', 'access', '{"access":"restricted"}'),
  ],
]

async function run(given: ProbeInstance): Promise<Evidence> {
  // Roles alone are tried: the rule of second factors has probes of its own.
  const instance = await given.startOther({ HOLDFAST_MFA: 'optional' })
  const scene = await openScene(instance)
  const seen: string[] = []
  for (const [what, least, act] of acts) {
    for (const [role, account] of scene.people) {
      const mayDo =
        role !== 'stranger' && roles.indexOf(role) >= roles.indexOf(least as (typeof roles)[number])
      const reply = await act(scene, account.token)
      const word = mayDo ? 'must' : 'must not'
      demand(reply.status < 300 === mayDo, `${what} ${word} be open to a ${role}: ${describeReply(reply)}`)
    }
    seen.push(`${what}: ${least} and above`)
  }
  return [...seen, ...(await showOrganisation(instance, scene))]
}

async function openScene(instance: ProbeInstance): Promise<Scene> {
  const client = await openProbeClient(instance)
  const owner = await openProbeAccount(instance, client)
  const name = client.nameOf('roles')
  const made = await client.publish({ name, version: '1.0.0' }, owner.token)
  demand(made.status === 201, `publishing must work: ${describeReply(made)}`)
  const browser = await signIn(instance, owner)
  await browser.post(`/access/npm/${name}`, { act: 'settings', access: 'restricted', presence: 'none' })
  const people = new Map<Role, ProbeAccount>([['stranger', await openProbeAccount(instance, client)]])
  for (const role of roles) {
    const account = await openProbeAccount(instance, client)
    const given = await browser.post(`/access/npm/${name}`, { act: 'role', login: account.login, role })
    demand(given.status === 303, `an owner must give the role of ${role}: ${given.status}`)
    people.set(role, account)
  }
  return { client, name, owner, people }
}

/** An admin manages people and owns no one; a developer does neither, and publishes only through a team. */
async function showOrganisation(instance: ProbeInstance, { client, people }: Scene): Promise<Evidence> {
  const [owner, admin, developer] = [people.get('owner'), people.get('maintainer'), people.get('reader')]
  if (owner === undefined || admin === undefined || developer === undefined) return []
  const org = `${client.user}-org`
  const browser = await signIn(instance, owner)
  await browser.post('/account/organisations', { name: org })
  const put = (by: ProbeAccount, user: string, role: string) =>
    client.ask('PUT', `/npm/-/org/${org}/user`, { body: JSON.stringify({ user, role }), token: by.token })
  const check = async (reply: Promise<Reply>, isOpen: boolean, what: string) => {
    const { status } = await reply
    demand(status < 300 === isOpen, `${what} must ${isOpen ? '' : 'not '}work, and answers ${status}`)
  }
  await check(put(owner, admin.login, 'admin'), true, 'an owner of an organisation making an admin')
  await check(put(admin, developer.login, 'developer'), true, 'an admin adding a developer')
  await check(put(admin, admin.login, 'owner'), false, 'an admin making itself owner')
  await check(put(developer, admin.login, 'developer'), false, 'a developer changing members')
  return ['in an organisation admins manage people, make no owners, and developers manage nobody']
}

async function signIn(instance: ProbeInstance, { login, password }: ProbeAccount): Promise<ProbeBrowser> {
  const browser = openProbeBrowser(instance)
  const { status } = await browser.post('/sign-in', { login, password })
  demand(status === 303, `signing in must work: ${status}`)
  return browser
}

function ask(
  { client, name }: Pick<Scene, 'client' | 'name'>,
  token: string,
  method: string,
  path: string,
  body: string,
): Promise<Reply> {
  return client.ask(method, `/npm/-/package/${encodeName(name)}/${path}`, { body, token })
}

let published = 0

function publish({ client, name }: Scene, token: string): Promise<Reply> {
  published += 1
  return client.publish({ name, version: `1.1.${published}` }, token)
}

async function deprecate({ client, name, owner }: Scene, token: string): Promise<Reply> {
  const path = `/npm/${encodeName(name)}`
  const read = await client.ask('GET', `${path}?write=true`, { accept: '*/*', token: owner.token })
  const document = readObject(read, 'the packument for writing')
  const versions = Object.entries<object>(Object(document['versions'])).map(([version, manifest]) => [
    version,
    { ...manifest, deprecated: `by a probe, ${token.slice(-4)}` },
  ])
  return client.ask('PUT', path, {
    body: JSON.stringify({ ...document, versions: Object.fromEntries(versions) }),
    token,
  })
}
