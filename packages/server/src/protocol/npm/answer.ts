// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import type { Answer } from '../../http/index.ts'

/** What suits every client as the answer to a write: yarn 1 looks for `ok` and `success`. */
export const done: Answer = json(200, { ok: true, success: true })

/** A JSON answer. Account and write answers are never stored by a client. */
export function json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

/** A problem in npm's words: the client prints `error`, and `npm-notice` where the answer is not cached. */
export function problemAnswer(problem: Problem): Answer {
  const error = problem.hint === '' ? problem.message : `${problem.message} ${problem.hint}`
  const headers: Record<string, string> = {}
  if (problem.status === 401) headers['www-authenticate'] = authenticateHeader(problem.code)
  if (problem.status === 429 || problem.status === 503)
    headers['retry-after'] = String(problem.data['retryAfter'] ?? 5)
  return json(problem.status, { error, code: problem.code, ...problem.data, message: error }, headers)
}

/** Lower-case `otp`, and only where digits help: pnpm compares it literally, npm takes it for a challenge. */
function authenticateHeader(code: Problem['code']): string {
  if (code === 'otp-required') return 'otp'
  if (code === 'address-not-allowed') return 'ipaddress'
  return 'Bearer realm="holdfast"'
}
