// SPDX-License-Identifier: Apache-2.0
/** The transparency log below `/log/`: static files as C2SP tlog-tiles has them, and proofs on demand. */
import { type Problem, problem } from '@holdfast/core'
import { type Answer, type Call, type Mount, openTurns, type Turns } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { readGateRows } from './gate.ts'
import { readKeys, readTrust } from './key.ts'
import { readPackage, readPackages, readProof, readProofs } from './proof.ts'
import { readCheckpoint, readTile } from './tile.ts'

const prefix = '/log/'

/** The log as a mount; problems are `application/problem+json`, and no cache keeps one: a tile may appear a moment later. */
export function logMount(ports: Ports): Mount {
  const turns = openTurns(ports.clock)
  return { prefix, classOf: () => 'log', renderProblem, handle: call => handle(ports, turns, call) }
}

async function handle(ports: Ports, turns: Turns, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const path = (call.url.split('?')[0] ?? '').slice(prefix.length)
  checkMethod(call.method, path)
  if (path === '') return { status: 308, headers: { location: '/log', 'cache-control': 'no-store' } }
  if (path === 'checkpoint') return readCheckpoint(ports, call)
  if (path.startsWith('tile/')) return readTile(ports, call, path)
  if (path === 'vkeys') return readKeys(ports, call)
  if (path === 'trust') return readTrust(ports, call)
  if (path === 'gate') return turns.take(call, 20, () => readGateRows(ports, call))
  if (path === 'proof') return turns.take(call, 1, () => readProof(ports, call))
  if (path === 'proofs') return turns.take(call, 20, () => readProofs(ports, call))
  if (path === 'packages') return turns.take(call, 20, () => readPackages(ports, call))
  if (path.startsWith('package/'))
    return turns.take(call, 1, () => readPackage(ports, call, path.slice('package/'.length)))
  throw problem('not-found')
}

function checkMethod(method: string, path: string): void {
  const isRead = method === 'GET' || method === 'HEAD'
  const isBatch = path === 'proofs' || path === 'packages'
  if (isBatch ? method !== 'POST' : !isRead) throw problem('method-not-allowed', { method })
}

function renderProblem({ code, status, message, hint, data }: Problem): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="holdfast"'
  if (status === 429 || status === 503) headers['retry-after'] = String(data['retryAfter'] ?? 5)
  return { status, headers, body: JSON.stringify({ ...data, code, status, title: message, hint }) }
}
