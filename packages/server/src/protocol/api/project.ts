// SPDX-License-Identifier: Apache-2.0
/** Lock files of people's projects, submitted so that their owners are told. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import type { ProjectLock } from '../../catalog/index.ts'
import { listOwnLocks, removeLock, submitLock } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 24 * 1024 * 1024
const maxManifests = 2000

/** `POST` and `GET /api/v1/projects/<name>/lockfiles`, `DELETE …/<branch>`; an organisation's project is `@acme/site`. */
export const projectPrefix = '/api/v1/projects'

/** A lock file of a branch, with the manifests of its project. */
export const lockBody = v.object({
  branch: v.string(),
  lockfile: v.string(),
  manifests: v.optional(
    v.pipe(
      v.array(v.object({ folder: v.string(), manifest: v.record(v.string(), v.unknown()) })),
      v.maxLength(maxManifests),
    ),
    [],
  ),
})

/** Answers whatever is below the prefix. */
export async function answerProject(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.actor.kind === 'nobody') throw problem('unauthenticated')
  const [, project, branch, ...more] =
    /^\/(.+)\/lockfiles(?:\/(.+))?$/.exec(path.slice(projectPrefix.length)) ?? []
  if (more.length > 0 || (project === undefined && path !== projectPrefix)) throw problem('not-found')
  const name = project === undefined ? undefined : decode(project)
  switch (`${call.method} ${branch === undefined ? 'all' : 'one'}`) {
    case 'GET all':
      return list(ports, call, name)
    case 'POST all':
      return submit(ports, call, name)
    case 'DELETE one':
      await removeLock(ports, call.actor, name ?? '', decode(branch ?? ''))
      return json(200, { removed: true })
    default:
      throw problem('method-not-allowed', { method: call.method })
  }
}

async function list(ports: Ports, call: Call, name: string | undefined): Promise<Answer> {
  const all = await listOwnLocks(ports, call.actor)
  return json(200, { lockfiles: all.filter(each => (name ?? each.project) === each.project).map(toJson) })
}

async function submit(ports: Ports, call: Call, name: string | undefined): Promise<Answer> {
  if (name === undefined) throw problem('method-not-allowed', { method: call.method })
  const { branch, lockfile: text, manifests } = await readBody(call, maxBodyBytes, lockBody)
  const { lock, ...told } = await submitLock(ports, call.actor, { project: name, branch, text, manifests })
  return json(201, { ...toJson(lock), ...told, page: `${ports.config.publicUrl}/exposure` })
}

function toJson({ project, branch, manager, digest, entryCount, submittedAt }: ProjectLock) {
  return { project, branch, manager, digest, entries: entryCount, submittedAt }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw problem('not-found')
  }
}
