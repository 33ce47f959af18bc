// SPDX-License-Identifier: Apache-2.0
/** What the policy does to the versions that a lock file names. */
import { type LockedVersion, parsePackageName, parseVersion, problem } from '@holdfast/core'
import * as v from 'valibot'
import { keepLocked, previewLocked } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 4 * 1024 * 1024
const maxVersions = 20_000
/** Versions, as a lock file names them. */
export const versionsBody = v.object({
  versions: v.pipe(v.array(v.object({ name: v.string(), version: v.string() })), v.maxLength(maxVersions)),
})

/** `POST /api/v1/policy/preview` with `{"versions": [{"name": "…", "version": "…"}]}`: what is not open, and why. */
export async function previewVersions(ports: Ports, call: Call): Promise<Answer> {
  const locked = await readLocked(call)
  const verdicts = await previewLocked(ports, call.actor, locked)
  return json(200, { looked: locked.length, versions: verdicts.filter(each => each.outcome !== 'open') })
}

/** `POST /api/v1/policy/keep` with the same: they are spared by rules that come later. */
export async function keepVersions(ports: Ports, call: Call): Promise<Answer> {
  const locked = await readLocked(call)
  await keepLocked(ports, call.actor, locked)
  return json(200, { kept: locked.length })
}

async function readLocked(call: Call): Promise<LockedVersion[]> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.actor.kind === 'nobody') throw problem('unauthenticated')
  const { versions } = await readBody(call, maxBodyBytes, versionsBody)
  return versions.map(({ name, version }) => ({
    name: parsePackageName(name),
    version: parseVersion(version),
  }))
}
