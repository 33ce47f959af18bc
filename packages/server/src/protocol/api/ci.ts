// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { exchangeReadToken } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

/** A token to install with, for the identity token of a CI job. */
export async function giveReadToken(ports: Ports, call: Call): Promise<Answer> {
  const [scheme = '', jwt = ''] = (call.headers.authorization ?? '').split(/\s+/, 2)
  if (scheme.toLowerCase() !== 'bearer' || jwt === '')
    throw problem('job-token-invalid', { why: 'there is none in the request' })
  const { actor } = call
  const from = 'from' in actor ? actor.from : { address: '', client: '', web: false }
  const { secret, token } = await exchangeReadToken(ports, jwt, from)
  const body = {
    token: secret,
    expires: new Date(token.expiresAt ?? 0).toISOString(),
    organisations: token.limits.readsOrgs ?? [],
  }
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status: 201, headers, body: JSON.stringify(body) }
}
