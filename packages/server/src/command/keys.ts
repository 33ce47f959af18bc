// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator keys …`: the keys that this registry signs with. */
import { rotateLogKey, rotateNpmKey } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator keys list|rotate --data DIR

  list                                            keys that sign, and those that signed before
  rotate --use npm [--compromised-since TIME]     sign versions with a new key; TIME is like 2026-12-31T00:00:00Z
  rotate --use log                                sign checkpoints with a new key, and for 30 days with the former one too

With --compromised-since the former key vouches for nothing that was published from then on: those versions are signed again.`

/** One of the acts above; what it prints. */
export async function keysAct(
  ports: Ports,
  { values }: Arguments,
  [act, ...rest]: readonly string[],
): Promise<string> {
  if (act === 'list' && rest.length === 0) return listKeys(ports)
  if (act !== 'rotate' || rest.length > 0) throw new UsageError(usage)
  if (values['use'] === 'log') return rotateLog(ports, values['compromised-since'])
  if (values['use'] === 'npm') return rotateNpm(ports, readTime(ports, values['compromised-since']))
  throw new UsageError(usage)
}

function listKeys({ signer, log }: Ports): string {
  const state = (until: string | null) => (until === null ? 'signs' : `until ${until}`)
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return [
    ...signer.publicKeys.map(({ keyid, expires }) => `npm\t${keyid}\t${state(expires)}`),
    ...log.keys.map(({ vkey, signsUntil }) => `log\t${vkey}\t${state(iso(signsUntil))}`),
  ].join('\n')
}

/** A stolen key of the log could have signed any history: no new key of the same log makes that good. */
async function rotateLog(ports: Ports, since: string | undefined): Promise<string> {
  if (since !== undefined)
    throw new UsageError(
      'A log whose key was stolen ends: begin a new one, as "When somebody has the key of the log" of the operating guide says.',
    )
  const { vkey, former, until } = await rotateLogKey(ports, operator)
  return [
    `${vkey} signs from now on.`,
    `${former} signs too until ${new Date(until).toISOString()}: tell clients and witnesses of the new one before.`,
  ].join('\n')
}

async function rotateNpm(ports: Ports, since: number | undefined): Promise<string> {
  const { keyid, former, signedAgain } = await rotateNpmKey(ports, operator, since)
  const again =
    since === undefined
      ? `${former} goes on vouching for what it signed.`
      : `${former} vouches for nothing that was published since ${new Date(since).toISOString()}; ${signedAgain} versions are signed again.`
  return `${keyid} signs from now on.\n${again}`
}

function readTime({ clock }: Ports, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time) || time > clock())
    throw new UsageError('--compromised-since is a time that has been, such as 2026-12-31T00:00:00Z.')
  return time
}
