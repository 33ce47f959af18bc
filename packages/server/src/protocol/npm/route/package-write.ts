// SPDX-License-Identifier: Apache-2.0
/**
 * Changes that clients say by sending a whole document back (protocol reference, section 7). Each is read as one
 * narrow intent; every other difference is an echo of something old, and ignored.
 */
import { excerpt, type PackageName, problem, tarballFileName, type Version } from '@holdfast/core'
import * as v from 'valibot'
import {
  deprecate,
  setOwners,
  star,
  unpublishMissing,
  unpublishPackage,
  unpublishVersion,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done } from '../answer.ts'
import { packageOf, parseBody, part } from '../body.ts'
import { parseRev } from '../packument.ts'
import { type Params, type Route, route } from '../router.ts'

/** As large as the packument of a package with ten thousand versions. */
const maxDocumentBytes = 32 * 1024 * 1024
const noRevision = -1

export const packageWriteRoutes: readonly Route[] = [
  route('PUT /:pkg/-rev/:rev', putRevision),
  route('DELETE /:pkg/-rev/:rev', deletePackage),
  route('DELETE /:pkg/-/:file/-rev/:rev', deleteTarball),
]

const echoed = v.object({
  _rev: v.nullish(v.string()),
  versions: v.nullish(v.record(v.string(), v.looseObject({ deprecated: v.optional(v.unknown()) }))),
  'dist-tags': v.nullish(v.record(v.string(), v.string())),
  users: v.nullish(v.record(v.string(), v.unknown())),
  maintainers: v.nullish(v.array(v.union([v.string(), v.looseObject({ name: v.string() })]))),
})

type Echoed = v.InferOutput<typeof echoed>

/** `PUT /{pkg}` without attachments: deprecation messages, or the caller's own star. */
export async function changeDocument(
  ports: Ports,
  call: Call,
  name: PackageName,
  document: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const body = parseBody(document, echoed)
  if (body.versions != null)
    await deprecate(ports, call.actor, name, revisionOf(body._rev ?? ''), messagesOf(body))
  else if (body.users != null) await putStar(ports, call, name, body.users)
  else throw problem('invalid-body', { why: 'it has neither versions nor users' })
  return done
}

/** `PUT /{pkg}/-rev/{rev}`: versions left out are removed, or owners replaced, or (pnpm's last try) a star. */
async function putRevision(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const name = packageOf(params)
  const body = parseBody(await call.json(maxDocumentBytes), echoed)
  const revision = revisionOf(part(params, 'rev'))
  if (body.versions != null) {
    const removed = await unpublishMissing(ports, call.actor, name, revision, {
      versions: new Set(Object.keys(body.versions)),
      tags: new Map(Object.entries(body['dist-tags'] ?? {})),
    })
    if (removed.length === 0 && body.users != null) await putStar(ports, call, name, body.users)
  } else if (body.maintainers != null) {
    await setOwners(
      ports,
      call.actor,
      name,
      revision,
      body.maintainers.map(each => (typeof each === 'string' ? each : each.name)),
    )
  } else throw problem('invalid-body', { why: 'it has neither versions nor maintainers' })
  return done
}

async function deletePackage(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await unpublishPackage(ports, call.actor, packageOf(params), revisionOf(part(params, 'rev')))
  return done
}

async function deleteTarball(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const name = packageOf(params)
  const version = versionOf(name, part(params, 'file'))
  await unpublishVersion(ports, call.actor, name, revisionOf(part(params, 'rev')), version)
  return done
}

/** The version in a tarball's canonical file name. Throws `version-not-found`. */
function versionOf(name: PackageName, file: string): Version {
  const [head = '', tail = ''] = tarballFileName(name, '\n').split('\n')
  if (file.startsWith(head) && file.endsWith(tail)) return file.slice(head.length, -tail.length) as Version
  throw problem('version-not-found', { name, version: excerpt(file) })
}

/** yarn 1 sends `undefined` with a document that lacks what it has not read: such a revision matches nothing. */
function revisionOf(rev: string): number {
  return parseRev(rev) ?? noRevision
}

/** Only the caller's own entry counts: nobody stars in another's name. */
async function putStar(
  ports: Ports,
  call: Call,
  name: PackageName,
  users: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { actor } = call
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await star(ports, actor, name, Object.hasOwn(users, actor.login) && Boolean(users[actor.login]))
}

function messagesOf(body: Echoed): ReadonlyMap<string, string> {
  const messages = new Map<string, string>()
  for (const [version, { deprecated }] of Object.entries(body.versions ?? {})) {
    if (typeof deprecated === 'string') messages.set(version, deprecated)
  }
  return messages
}
