// SPDX-License-Identifier: Apache-2.0
import { createSign, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A CI service on loopback that signs what its jobs are, as OpenID providers do. */
export interface ProbeCi {
  readonly url: string
  /** The identity token of a GitHub-shaped job; `claims` changes what it says. */
  token(audience: string, claims?: Readonly<Record<string, unknown>>): string
  close(): void
}

/** Starts one with a fresh key. */
export async function startProbeCi(): Promise<ProbeCi> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'probe', use: 'sig', alg: 'RS256' }
  const server = createServer((request, response) => {
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/jwks` },
      '/jwks': { keys: [jwk] },
    }
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(documents[request.url ?? ''] ?? {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    token(audience, claims = {}) {
      const head = encode({ alg: 'RS256', typ: 'JWT', kid: 'probe' })
      const body = `${head}.${encode({ ...jobClaims(url, audience), ...claims })}`
      return `${body}.${createSign('sha256').update(body).sign(privateKey, 'base64url')}`
    },
    close: () => server.close().closeAllConnections(),
  }
}

let serial = 0

function jobClaims(iss: string, aud: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  serial += 1
  return {
    iss,
    aud,
    sub: 'repo:probe/widget:ref:refs/heads/main',
    jti: `probe-${process.pid}-${serial}`,
    iat: now,
    exp: now + 300,
    repository: 'probe/widget',
    repository_id: '1001',
    repository_owner: 'probe',
    repository_owner_id: '77',
    workflow_ref: 'probe/widget/.github/workflows/publish.yml@refs/heads/main',
    ref: 'refs/heads/main',
    event_name: 'push',
    runner_environment: 'github-hosted',
    run_id: '1',
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
