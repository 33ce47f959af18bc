// SPDX-License-Identifier: Apache-2.0
/** Why a version can be installed or cannot, and the wish for an exception. */
import { parsePackageName, parseVersion, problem } from '@holdfast/core'
import * as v from 'valibot'
import { askWaiver, explainVersion } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 64 * 1024
/** What somebody who wants an exception says. */
export const waiverBody = v.object({
  name: v.string(),
  version: v.string(),
  reason: v.pipe(v.string(), v.maxLength(1000)),
})

/** Below `/api/v1/why/npm/`: `<name>/<version>`, the slash of a scope as it is or as `%2f`. */
export const whyPrefix = '/api/v1/why/npm/'

/** `GET /api/v1/why/npm/<name>/<version>`: the verdict with everything that led to it; times in milliseconds since the epoch. */
export async function readWhy(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const { name, version } = parseSubject(path, whyPrefix)
  const { isServed, isWaivable, ...told } = await explainVersion(ports, call.actor, name, version)
  const page = pageOf(ports, name, version)
  return json(200, { ...told, served: isServed, waivable: isWaivable, page })
}

/** `POST /api/v1/waivers` with `{"name": "…", "version": "…", "reason": "…"}`, from anybody with an account. */
export async function postWaiver(ports: Ports, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const told = await readBody(call, maxBodyBytes, waiverBody)
  const name = parsePackageName(told.name)
  const version = parseVersion(told.version)
  const { id, state } = await askWaiver(ports, call.actor, { name, version }, told.reason)
  return json(201, { id, state, page: pageOf(ports, name, version) })
}

/** Package and version behind a prefix. Throws for what is neither. */
export function parseSubject(path: string, prefix: string) {
  const words = decode(path.slice(prefix.length))
  const slash = words.lastIndexOf('/')
  return { name: parsePackageName(words.slice(0, slash)), version: parseVersion(words.slice(slash + 1)) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw problem('not-found')
  }
}

function pageOf({ config }: Ports, name: string, version: string): string {
  return `${config.publicUrl}/why/npm/${name}/${version}`
}
