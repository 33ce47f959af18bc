// SPDX-License-Identifier: Apache-2.0
import { type PackageName, parsePackageName, problem } from '@holdfast/core'
import type { z } from 'zod'
import type { Call } from '../../http/index.ts'
import type { Params } from './router.ts'

/** The JSON body in the shape a route expects; members beyond that are dropped. Throws `invalid-body`. */
export async function readBody<S extends z.ZodType>(call: Call, schema: S): Promise<z.infer<S>> {
  return parseBody(await call.json(), schema)
}

/** The same for a body that was read already. */
export function parseBody<S extends z.ZodType>(body: unknown, schema: S): z.infer<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.')
  throw problem('invalid-body', { why: `${where}: ${issue?.message ?? 'its shape is wrong'}` })
}

/** The package a route is about. */
export function packageOf(params: Params): PackageName {
  return parsePackageName(params['pkg'])
}

/** One decoded part of the path. */
export function part(params: Params, name: string): string {
  return params[name] ?? ''
}
