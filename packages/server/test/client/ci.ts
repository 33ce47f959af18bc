// SPDX-License-Identifier: Apache-2.0
/** A CI service on loopback: a certified OpenID provider signs what its jobs say, and jobs run in its environment. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'

export interface Ci {
  readonly issuer: string
  /** What the provider says of the job that runs now. */
  claims: Readonly<Record<string, unknown>>
  /** An identity token of the job that runs now. */
  token(audience: string): Promise<string>
  /** The last token that a job asked for by itself. */
  readonly given: string[]
  /** Environment of a GitHub job that may ask for identity tokens. */
  github(): Readonly<Record<string, string>>
  /** Environment of a GitLab job whose `id_tokens` hold this one. */
  gitlab(token: string): Readonly<Record<string, string>>
  close(): Promise<void>
}

const secret = 'the-secret-of-the-runner'

/** Starts one. */
export async function startCi(): Promise<Ci> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: 'ci-key', use: 'sig', alg: 'RS256' }
  const provider = new Provider(issuer, configuration(key, () => ci.claims) as never)
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/job/token') === true) void giveToken(ci, request, response)
    else answer(request, response)
  })
  const ci: Ci = {
    issuer,
    claims: {},
    given: [],
    token: audience => askProvider(issuer, audience),
    github: () => ({
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      RUNNER_ENVIRONMENT: 'github-hosted',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/job/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    }),
    gitlab: token => ({ CI: 'true', GITLAB_CI: 'true', NPM_ID_TOKEN: token }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return ci
}

function configuration(key: object, claims: () => object): object {
  return {
    jwks: { keys: [key] },
    clients: [
      {
        client_id: 'runner',
        client_secret: secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: '',
          audience: resource.replace(/^urn:/, ''),
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: claims,
  }
}

async function askProvider(issuer: string, audience: string): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'runner',
    client_secret: secret,
    // A resource is a URI, which Sigstore's audience is not.
    resource: audience.includes(':') ? audience : `urn:${audience}`,
  })
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body })
  return ((await answer.json()) as { access_token: string }).access_token
}

/** As GitHub answers at `ACTIONS_ID_TOKEN_REQUEST_URL`. */
async function giveToken(ci: Ci, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const audience = new URL(request.url ?? '', ci.issuer).searchParams.get('audience') ?? ''
  if (request.headers.authorization !== `Bearer ${secret}`) {
    response.writeHead(401).end()
    return
  }
  const value = await ci.token(audience)
  ci.given.push(value)
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ value }))
}
