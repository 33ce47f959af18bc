// SPDX-License-Identifier: Apache-2.0
import { type PackageName, parsePackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import type { Call } from '../../http/index.ts'
import type { Params } from './router.ts'

/** The JSON body in the shape a route expects; members beyond that are dropped. Throws `invalid-body`. */
export async function readBody<S extends v.GenericSchema>(call: Call, schema: S): Promise<v.InferOutput<S>> {
  return parseBody(await call.json(), schema)
}

/** The same for a body that was read already. */
export function parseBody<S extends v.GenericSchema>(body: unknown, schema: S): v.InferOutput<S> {
  const parsed = v.safeParse(schema, body)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw problem('invalid-body', { why: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` })
}

/** The package a route is about. */
export function packageOf(params: Params): PackageName {
  return parsePackageName(params['pkg'])
}

/** One decoded part of the path. */
export function part(params: Params, name: string): string {
  return params[name] ?? ''
}
