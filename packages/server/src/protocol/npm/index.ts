// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Answer, Call, Mount } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { problemAnswer } from './answer.ts'
import { formerPrefixes, withoutFormerPath } from './former-path.ts'
import { auditRoutes } from './route/audit.ts'
import { identityRoutes } from './route/index.ts'
import { publishRoutes } from './route/publish.ts'
import { readRoutes, versionRoutes } from './route/read.ts'
import { searchRoutes } from './route/search.ts'
import { findRoute, type Route, splitPath } from './router.ts'
import type { Tarballs } from './tarballs.ts'

export { openDocuments } from './documents.ts'
export { openHotPath } from './hot-path.ts'
export { registryUrl } from './packument.ts'
export { openTarballs, type Tarballs } from './tarballs.ts'

const prefix = '/npm/'

/** npm's wire language below `/npm/`. */
export function npmMount(ports: Ports, tarballs: Tarballs): Mount {
  const routes: readonly Route[] = [
    ...readRoutes(tarballs),
    ...publishRoutes,
    ...searchRoutes,
    ...auditRoutes,
    ...identityRoutes,
    ...versionRoutes,
  ]
  return {
    prefix,
    classOf: call => classOf(atOwnPath(call)),
    renderProblem: (trouble, call) =>
      problemAnswer(trouble, ports.config.publicUrl, call.headers['user-agent'] ?? ''),
    handle: call => handle(ports, routes, withoutCookie(atOwnPath(call))),
  }
}

/** npm drops the path of the mount where CI jobs exchange their tokens, so that stands at the root too. */
export function exchangeMount(npm: Mount): Mount {
  return {
    ...npm,
    prefix: '/-/npm/v1/oidc/',
    handle: call => npm.handle({ ...call, url: `${prefix.slice(0, -1)}${call.url}` }),
  }
}

/** The same registry at the addresses of the one that stood here before it, without a redirect: clients drop tokens there. */
export function formerMounts(npm: Mount): readonly Mount[] {
  return formerPrefixes.map(former => ({ ...npm, prefix: former }))
}

function atOwnPath(call: Call): Call {
  const url = withoutFormerPath(call.url)
  return url === call.url ? call : { ...call, url }
}

/** A browser's session is for pages, which check where a form comes from; here nothing does (cross-site request forgery). */
function withoutCookie(call: Call): Call {
  const { actor } = call
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') return call
  return { ...call, actor: { kind: 'nobody', from: actor.from } }
}

async function handle(ports: Ports, routes: readonly Route[], call: Call): Promise<Answer> {
  if (!call.url.startsWith(prefix)) throw problem('not-found')
  const mark = call.url.indexOf('?')
  const path = call.url.slice(prefix.length, mark < 0 ? undefined : mark)
  const { route, params } = findRoute(routes, call.method, splitPath(path))
  if (call.badCredentials !== undefined && !route.openToBadCredentials) throw call.badCredentials
  return route.handler(ports, call, params)
}

function classOf(call: Call): 'packument' | 'tarball' | 'publish' | 'npm' {
  if (call.url.includes('/-/')) return call.url.startsWith('/npm/-/') ? 'npm' : 'tarball'
  if (call.method === 'PUT') return 'publish'
  return call.method === 'GET' || call.method === 'HEAD' ? 'packument' : 'npm'
}
