// SPDX-License-Identifier: Apache-2.0
/** Leaked tokens, from whoever holds them, from people with an account, and from secret-scanning programmes. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import { type Leak, maxLeaks, revokeLeaked, revokePosted, takeTurn } from '../../flow/index.ts'
import { type Answer, type Call, parseJson } from '../../http/index.ts'
import { actorId, isSignedReport } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import { json, parseShape, readBytes } from './body.ts'

const maxBodyBytes = 256 * 1024
const maxSignedBytes = 4 * 1024 * 1024
const maxSignedLeaks = 10_000
const reportsAtOnce = 60
const badSignaturesAtOnce = 20

const secret = v.pipe(v.string(), v.maxLength(500))
// An address that people get in a letter: one line, nothing else than a link.
const url = v.pipe(v.string(), v.regex(/^https?:\/\/[!-~]{1,500}$/, 'must be an http or https address'))
/** Tokens, from whoever found them. */
export const tokensBody = v.object({ tokens: v.pipe(v.array(secret), v.minLength(1), v.maxLength(maxLeaks)) })
/** Tokens with where they were found. */
export const leaksBody = v.object({
  leaks: v.pipe(
    v.array(v.object({ token: secret, url: v.optional(url) })),
    v.minLength(1),
    v.maxLength(maxLeaks),
  ),
})
/** Findings in GitHub's partner format. */
export const signedBody = v.pipe(
  v.array(
    v.object({
      token: secret,
      type: v.optional(v.pipe(v.string(), v.maxLength(200)), ''),
      // A place that nobody could be told must not keep the tokens of a whole report alive.
      url: v.fallback(v.optional(url, ''), ''),
    }),
  ),
  v.maxLength(maxSignedLeaks),
)

/** `{"tokens": ["…"]}`: ends those that work here. Nobody has to sign in, and nothing is told of any. */
export async function revokeTokens(ports: Ports, call: Call): Promise<Answer> {
  const { tokens } = parseShape(tokensBody, parseJson(await readBytes(call, maxBodyBytes)))
  await revokePosted(ports, tokens, addressOf(call))
  return json(200, { received: tokens.length })
}

/** `{"leaks": [{"token": "…", "url": "…"}]}` from anybody with an account; says of each if it was one that worked. */
export async function reportLeaks(ports: Ports, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.actor.kind === 'nobody') throw problem('unauthenticated')
  const { leaks } = parseShape(leaksBody, parseJson(await readBytes(call, maxBodyBytes)))
  await takeTurn(ports, 'leak-report', addressOf(call), reportsAtOnce)
  const labels = []
  for (const { token, url: where = '' } of leaks)
    labels.push(await settle(ports, token, '', { source: 'report', where, by: actorId(call.actor) }))
  return json(200, labels)
}

/**
 * A report of GitHub's secret-scanning partner programme: a signed list of findings, answered with a label for each.
 * Whoever speaks the same format may use it with a key of their own.
 */
export async function reportSignedLeaks(ports: Ports, call: Call): Promise<Answer> {
  const keys = ports.reportKeys
  if (keys === undefined) throw problem('not-found')
  const body = await readBytes(call, maxSignedBytes)
  const [id, signature] = [
    header(call, 'github-public-key-identifier'),
    header(call, 'github-public-key-signature'),
  ]
  const key = id === '' ? undefined : await keys.find(id)
  // Over the bytes as they came: what was parsed and written again could mean something else.
  if (key === undefined || !isSignedReport(key, body, signature)) {
    await takeTurn(ports, 'leak-signature', addressOf(call), badSignaturesAtOnce)
    throw problem('signature-invalid')
  }
  const labels = []
  for (const { token, type, url: where } of parseShape(signedBody, parseJson(body)))
    labels.push(await settle(ports, token, type, { source: 'secret-scanning', where }))
  return json(200, labels)
}

/** The answer of the partner format, which knows a finding again by the token itself. */
async function settle(ports: Ports, token: string, type: string, leak: Leak) {
  const worked = await revokeLeaked(ports, token, leak)
  return { token_raw: token, token_type: type, label: worked ? 'true_positive' : 'false_positive' }
}

function header(call: Call, name: string): string {
  const value = call.headers[name]
  return typeof value === 'string' ? value : ''
}

function addressOf({ actor }: Call): string {
  return 'from' in actor ? actor.from.address : ''
}
