// SPDX-License-Identifier: Apache-2.0
import { makeNewToken, tokenCreated } from '../src/flow/token.ts'
import { authorize, hashSecret, operator, type TokenLimits } from '../src/identity/index.ts'
import type { Ports } from '../src/main.ts'

/** A token without an end, which no flow gives: tests move the clock by months. It is as if made with a second factor. */
export async function makeEndlessToken(
  ports: Ports,
  accountId: string,
  limits: TokenLimits,
  expiresAt: number | null = null,
): Promise<string> {
  const grant = await authorize(ports, operator, 'token:create', accountId)
  const { secret, token } = makeNewToken(ports, accountId, {
    name: 'a test',
    origin: 'made',
    limits: { withFactor: true, ...limits },
  })
  const endless = { ...token, expiresAt }
  await ports.store.commit(grant, tokenCreated(endless), tx =>
    tx.identity.addToken(hashSecret(secret), endless),
  )
  return secret
}
