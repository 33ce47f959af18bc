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

/**
 * A problem in npm's words: the client prints `error`. With a 401 npm prints its own words instead, and of refused
 * versions people want to know more, so these say it in `npm-notice` too, and
 * in the words of their status.
 */
export function problemAnswer(problem: Problem, publicUrl: string, client: string): Answer {
  const error = explain(problem) + whereToRead(problem, publicUrl)
  const headers: Record<string, string> = {}
  const notice = noticeOf(problem, error, publicUrl)
  if (notice !== undefined) headers['npm-notice'] = headerText(notice)
  if (problem.status === 401) headers['www-authenticate'] = authenticateHeader(problem.code)
  if (problem.status === 429 || problem.status === 503)
    headers['retry-after'] = String(problem.data['retryAfter'] ?? 5)
  const answer = json(
    statusFor(problem, client),
    { error, code: problem.code, ...problem.data, message: error },
    headers,
  )
  // Berry, which calls itself `got` where it fetches bytes, prints the words of the status line and nothing of the body. npm prints both.
  const isRead = problem.data['next'] !== undefined && client.startsWith('got ')
  return isRead ? { ...answer, reason: headerText(error) } : answer
}

/** pnpm takes 410 for a passing fault and asks again after ten seconds and a minute; 404 it believes at once. */
function statusFor({ status }: Problem, client: string): number {
  return status === 410 && client.startsWith('pnpm/') ? 404 : status
}

/** Header values are Latin-1 without line breaks, whatever a person wrote as a reason. */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
}

/** What happened and what to do, as sentences. */
function explain({ message, hint }: Problem): string {
  if (hint === '') return message
  return /[.!?]$/.test(message) ? `${message} ${hint}` : `${message}. ${hint}`
}

function noticeOf(problem: Problem, error: string, publicUrl: string): string | undefined {
  const { authUrl, next } = problem.data
  if (authUrl !== undefined) return `Open ${authUrl} to approve this operation`
  if (problem.status === 401) return error
  return next === undefined ? undefined : whereToRead(problem, publicUrl).trim()
}

/** npm prints the error and nothing else of it: the way to the explanation stands in it. Only the gate names what to use instead. */
function whereToRead({ data }: Problem, publicUrl: string): string {
  const { name, version, next } = data
  return next === undefined ? '' : ` Why, and what to do: ${publicUrl}/why/npm/${name}/${version}`
}

/** Lower-case `otp`, and only where digits help: pnpm compares it literally, npm takes it for a challenge. */
function authenticateHeader(code: Problem['code']): string {
  if (code === 'otp-required') return 'otp'
  if (code === 'address-not-allowed') return 'ipaddress'
  // npm says "incorrect password" for this one, and "your token is invalid" for the other.
  if (code === 'bad-credentials') return 'Basic realm="holdfast"'
  return 'Bearer realm="holdfast"'
}
