// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { type Config, isLoopback } from '../config.ts'
import type { Call } from '../http/index.ts'

/**
 * Cross-site request forgery: a form may only be sent from our own pages. Every browser of today says `Origin` with a
 * POST, and most say `Sec-Fetch-Site`; what says neither is no browser. Throws `foreign-origin`.
 */
export function checkOrigin(config: Pick<Config, 'publicUrl'>, call: Pick<Call, 'headers'>): void {
  const { origin, host } = call.headers
  const site = call.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin')
    throw problem('foreign-origin', { origin: origin ?? site })
  if (origin === undefined || !isOwn(config, origin, host)) {
    throw problem('foreign-origin', { origin: origin ?? 'an unknown page' })
  }
}

/** On one's own machine `localhost`, `127.0.0.1` and a forwarded port are the same place. */
function isOwn(config: Pick<Config, 'publicUrl'>, origin: string, host: string | undefined): boolean {
  const own = new URL(config.publicUrl)
  if (origin === own.origin) return true
  if (!isLoopback(bare(own.hostname)) || !URL.canParse(origin)) return false
  const theirs = new URL(origin)
  return isLoopback(bare(theirs.hostname)) && theirs.host === host
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** A path of this site to go to afterwards, whatever a link claims; `/` when it leads anywhere else (open redirect). */
export function localPath(wanted: string | null | undefined): string {
  const base = 'http://here.invalid'
  if (typeof wanted !== 'string' || !/^\/[\x21-\x7e]*$/.test(wanted) || !URL.canParse(wanted, base))
    return '/'
  const url = new URL(wanted, base)
  // A path of two slashes or `/\` would be another host to a browser.
  return url.origin === base && !/^\/[/\\]/.test(wanted) && !url.pathname.startsWith('//')
    ? url.pathname + url.search
    : '/'
}
