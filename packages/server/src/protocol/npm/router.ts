// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

export type Params = Readonly<Record<string, string>>
export type Handler = (ports: Ports, call: Call, params: Params) => Promise<Answer>

/** One route. `:pkg` takes one segment, or two when the first is a scope; other `:x` take one, `*` all that is left. */
export interface Route {
  readonly method: string
  readonly pattern: readonly string[]
  readonly handler: Handler
  /** Bad credentials do not matter here: npm sends its old token when it signs in anew. */
  readonly openToBadCredentials: boolean
}

export interface Found {
  readonly route: Route
  readonly params: Params
}

/** Writes `'PUT /-/package/:pkg/dist-tags/:tag'` as a route. */
export function route(text: string, handler: Handler, options?: { openToBadCredentials: boolean }): Route {
  const [method = '', path = ''] = text.split(' ')
  return {
    method,
    pattern: path.slice(1).split('/'),
    handler,
    openToBadCredentials: options?.openToBadCredentials ?? false,
  }
}

/**
 * Splits a raw path below the mount into segments before decoding, then decodes each exactly once: `%2f` belongs to a
 * name, never to the path. Throws `not-found` for what cannot be decoded.
 */
export function splitPath(rawPath: string): string[] {
  return rawPath.split('/').map(segment => {
    try {
      return segment.includes('%') ? decodeURIComponent(segment) : segment
    } catch {
      throw problem('not-found')
    }
  })
}

/** The route for a method and path. Throws `not-found`, or `method-not-allowed` when only the method is wrong. */
export function findRoute(routes: readonly Route[], method: string, segments: readonly string[]): Found {
  let otherMethod = false
  for (const candidate of routes) {
    const params = match(candidate.pattern, segments)
    if (params === undefined) continue
    if (candidate.method === method || (candidate.method === 'GET' && method === 'HEAD'))
      return { route: candidate, params }
    otherMethod = true
  }
  throw problem(otherMethod ? 'method-not-allowed' : 'not-found', { method })
}

function match(pattern: readonly string[], segments: readonly string[]): Params | undefined {
  const params: Record<string, string> = {}
  let at = 0
  for (const part of pattern) {
    if (part === '*') {
      params['rest'] = segments.slice(at).join('/')
      return params
    }
    const segment = segments[at]
    if (segment === undefined) return undefined
    at += 1
    if (part === ':pkg') {
      const name = packageAt(segment, segments[at])
      if (name === undefined) return undefined
      if (name !== segment) at += 1
      params['pkg'] = name
    } else if (part.startsWith(':')) {
      if (segment === '') return undefined
      params[part.slice(1)] = segment
    } else if (part !== segment) return undefined
  }
  return at === segments.length ? params : undefined
}

/** `@acme%2fui` came as one segment, `@acme/ui` as two; a name beginning with `-` or `.` is never a package. */
function packageAt(segment: string, next: string | undefined): string | undefined {
  if (segment === '' || segment.startsWith('-') || segment.startsWith('.')) return undefined
  if (!segment.startsWith('@') || segment.includes('/')) return segment
  return next === undefined || next === '' ? undefined : `${segment}/${next}`
}
