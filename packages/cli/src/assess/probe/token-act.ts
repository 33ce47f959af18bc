// SPDX-License-Identifier: Apache-2.0
import { encodeName, type ProbeClient, type Reply, tarballPath } from '../probe-client.ts'

/** Where an act is tried: a package, and the account that owns it. */
export interface Stage {
  readonly client: ProbeClient
  readonly name: string
  readonly login: string
  readonly password: string
  /** Another account. */
  readonly friend: string
}

/** Something that changes a package or an account, as a client asks for it; gets the document as it stands. */
export type Act = readonly [
  what: string,
  act: (stage: Stage, document: Readonly<Record<string, unknown>>, token: string) => Promise<Reply>,
]

/** Whether somebody sees a package on one path. */
export type Read = readonly [what: string, look: (stage: Stage, token: string) => Promise<boolean>]

/** Everything that changes a package, in an order in which all of it works for somebody who may. */
export const packageActs: readonly Act[] = [
  ['publishing', ({ client, name }, _, token) => client.publish({ name, version: '2.0.0' }, token)],
  ['deprecating', deprecate],
  ['setting a tag', (stage, _, token) => ask(stage, token, 'PUT', tagPath(stage), '"1.0.0"')],
  ['removing a tag', (stage, _, token) => ask(stage, token, 'DELETE', tagPath(stage))],
  ['adding an owner as npm does', addOwner],
  [
    'removing an owner',
    (stage, _, token) => ask(stage, token, 'DELETE', `${ownersPath(stage)}/${stage.friend}`),
  ],
  [
    'adding an owner as pnpm does',
    (stage, _, token) => ask(stage, token, 'PUT', ownersPath(stage), JSON.stringify({ user: stage.friend })),
  ],
  [
    'changing who may read',
    (stage, _, token) =>
      ask(stage, token, 'POST', `/npm/-/package/${encodeName(stage.name)}/access`, '{"access":"public"}'),
  ],
  ['taking back a version', takeBackVersion],
  [
    'taking back a package',
    (stage, document, token) => ask(stage, token, 'DELETE', revisionPath(stage, document)),
  ],
]

/** What a stolen token must not do to the account it came from. */
export const accountActs: readonly Act[] = [
  [
    'making another token',
    ({ client, password }, _, token) => {
      const body = JSON.stringify({ name: 'bred', password, readonly: false })
      return client.ask('POST', '/npm/-/npm/v1/tokens', { body, token })
    },
  ],
  [
    'changing the password',
    ({ client, password }, _, token) => {
      const body = JSON.stringify({ password: { old: password, new: `${password}-changed` } })
      return client.ask('POST', '/npm/-/npm/v1/user', { body, token })
    },
  ],
]

/** Every path that shows something of a package. */
export const reads: readonly Read[] = [
  ['the packument', (stage, token) => isShown(stage, token, `/npm/${encodeName(stage.name)}`)],
  [
    'the abbreviated packument',
    (stage, token) =>
      isShown(stage, token, `/npm/${encodeName(stage.name)}`, 'application/vnd.npm.install-v1+json'),
  ],
  ['the version', (stage, token) => isShown(stage, token, `/npm/${encodeName(stage.name)}/1.0.0`)],
  ['the tarball', (stage, token) => isShown(stage, token, tarballPath(stage.name, '1.0.0'))],
  [
    'the list of tags',
    (stage, token) => isShown(stage, token, `/npm/-/package/${encodeName(stage.name)}/dist-tags`),
  ],
  [
    'the list of collaborators',
    (stage, token) => isShown(stage, token, `/npm/-/package/${encodeName(stage.name)}/collaborators`),
  ],
]

function ask({ client }: Stage, token: string, method: string, path: string, body?: string): Promise<Reply> {
  return client.ask(method, path, body === undefined ? { token } : { token, body })
}

async function isShown(stage: Stage, token: string, path: string, accept?: string): Promise<boolean> {
  const { status } = await stage.client.ask('GET', path, accept === undefined ? { token } : { token, accept })
  return status === 200
}

function deprecate(stage: Stage, document: Readonly<Record<string, unknown>>, token: string): Promise<Reply> {
  const versions = Object.entries<object>(Object(document['versions']))
  const deprecated = versions.map(([version, manifest]) => [
    version,
    { ...manifest, deprecated: 'by a probe' },
  ])
  const body = JSON.stringify({ ...document, versions: Object.fromEntries(deprecated) })
  return ask(stage, token, 'PUT', `/npm/${encodeName(stage.name)}`, body)
}

function addOwner(stage: Stage, document: Readonly<Record<string, unknown>>, token: string): Promise<Reply> {
  const { _id, _rev } = document
  const maintainers = [stage.login, stage.friend].map(name => ({ name, email: `${name}@probe.example` }))
  return ask(stage, token, 'PUT', revisionPath(stage, document), JSON.stringify({ _id, _rev, maintainers }))
}

function takeBackVersion(
  stage: Stage,
  document: Readonly<Record<string, unknown>>,
  token: string,
): Promise<Reply> {
  const { '1.0.0': taken, ...versions } = Object(document['versions'])
  const latest = Object.keys(versions).at(-1)
  const body = JSON.stringify({ ...document, versions, 'dist-tags': { latest } })
  return ask(stage, token, 'PUT', revisionPath(stage, document), body)
}

function revisionPath({ name }: Stage, document: Readonly<Record<string, unknown>>): string {
  return `/npm/${encodeName(name)}/-rev/${encodeURIComponent(String(document['_rev']))}`
}

function tagPath({ name }: Stage): string {
  return `/npm/-/package/${encodeName(name)}/dist-tags/probe`
}

function ownersPath({ name }: Stage): string {
  return `/npm/-/package/${encodeName(name)}/owners`
}
