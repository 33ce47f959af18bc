// SPDX-License-Identifier: Apache-2.0
/** A route of the API with what its description says of it: one entry for both, so that neither is there without the other. */
import type { GenericSchema } from 'valibot'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the host. `{id}` is one part of the path; `{name}` and `{branch}` may hold slashes. */
  readonly path: string
  readonly handle: (ports: Ports, call: Call, path: string) => Promise<Answer>
  /** What it does, in a phrase. */
  readonly does: string
  /** Who gets an answer: anybody, whoever has an account, or a role that its refusal names. */
  readonly who: 'anybody' | 'account' | 'role'
  /** The JSON that it takes; where there is none, nothing is sent. */
  readonly body?: GenericSchema
  /** What may follow the question mark, each with what it says. */
  readonly query?: Readonly<Record<string, string>>
  /** Of the answer, where nothing went wrong. */
  readonly status: 200 | 201
  /** Media type of the answer, where it is no JSON. */
  readonly type?: string
}

/** The paths of a template as a pattern. */
function templatePattern(template: string): RegExp {
  const source = template
    .replaceAll('.', '\\.')
    .replace(/\{(\w+)\}/g, (_, word) => (word === 'name' || word === 'branch' ? '.+' : '[^/]+'))
  return new RegExp(`^${source}$`)
}

/** The route of a request; `isPath` says whether another method would have found one. */
export function openRouter(routes: readonly Route[]) {
  const patterns = routes.map(route => ({ route, pattern: templatePattern(route.path) }))
  return (method: string, path: string): { readonly route: Route | undefined; readonly isPath: boolean } => {
    const found = patterns.filter(({ pattern }) => pattern.test(path)).map(each => each.route)
    return { route: found.find(each => each.method === method), isPath: found.length > 0 }
  }
}
