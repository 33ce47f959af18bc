// SPDX-License-Identifier: Apache-2.0
/** An OpenID issuer on loopback whose tokens say whatever a test wants: for what a real issuer would never sign. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { World } from './world.ts'

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

export interface CiIssuer {
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: string[]
  /** What the key set holds; tests change it. */
  keys: JWK[]
  /** Answers in place of its own, by path. */
  readonly answers: Map<string, { status: number; body: string; headers?: Record<string, string> }>
  readonly privateKey: Key
  /** A token as GitHub's for a job of `acme/widget`; `undefined` leaves a claim out. */
  github(world: World, claims?: Claims, header?: Header): Promise<string>
  sign(claims: JWTPayload, header?: Header, key?: Key | Uint8Array): Promise<string>
  close(): Promise<void>
}

export type Claims = Readonly<Record<string, unknown>>
export type Header = Readonly<Record<string, unknown>>

/** Opens one with an RSA key `key-1`. */
export async function openCiIssuer(): Promise<CiIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }
  const asked: string[] = []
  const answers: CiIssuer['answers'] = new Map()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const own = answers.get(path)
    if (own !== undefined) return response.writeHead(own.status, own.headers).end(own.body)
    if (path === '/jwks') return response.end(JSON.stringify({ keys: issuer.keys }))
    if (path === '/.well-known/openid-configuration')
      return response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }))
    return response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer: CiIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    keys: [jwk],
    answers,
    privateKey,
    github: (world, claims = {}, header = {}) =>
      issuer.sign({ ...githubClaims(issuer.url, world), ...claims }, header),
    sign: (claims, header = {}, key = privateKey) =>
      new SignJWT(JSON.parse(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT', ...header })
        .sign(key),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return issuer
}

let serial = 0

/** What GitHub says of a push to the main branch of `acme/widget` that runs `publish.yml`. */
export function githubClaims(issuer: string, world: Pick<World, 'now' | 'url'>): JWTPayload {
  const now = Math.floor(world.now() / 1000)
  serial += 1
  return {
    iss: issuer,
    aud: `npm:${new URL(world.url).hostname}`,
    sub: 'repo:acme/widget:ref:refs/heads/main',
    jti: `jti-${serial}`,
    iat: now,
    exp: now + 300,
    repository: 'acme/widget',
    repository_id: '1001',
    repository_owner: 'acme',
    repository_owner_id: '77',
    workflow_ref: 'acme/widget/.github/workflows/publish.yml@refs/heads/main',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    ref_protected: 'true',
    event_name: 'push',
    runner_environment: 'github-hosted',
    run_id: '4711',
    run_attempt: '1',
    sha: 'a'.repeat(40),
  }
}
