// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { type ProbeCi, startProbeCi } from '../probe-ci.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, type Reply } from '../probe-client.ts'

/** A CI job publishes by its identity, once, what its publisher is for; whoever else shows a token gets nothing. */
export const trustedPublishing: Probe = { capability: 'authz-3-oidc', run }

const longestLifeMs = 16 * 60_000

async function run(instance: ProbeInstance): Promise<Evidence> {
  const ci = await startProbeCi()
  try {
    const other = await instance.startOther({
      HOLDFAST_CI_ISSUERS: `github=${ci.url}`,
      HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
      HOLDFAST_MFA: 'optional',
    })
    const client = await openProbeClient(other)
    return [...(await showRefusals(other, client, ci)), ...(await showPublish(client, ci, other))]
  } finally {
    ci.close()
  }
}

async function showRefusals(other: ProbeInstance, client: ProbeClient, ci: ProbeCi): Promise<string[]> {
  const audience = audienceOf(other)
  await refuses(client, ci.token(audience), 'the job of a package that trusts nobody')
  await addPublisher(other, await openProbeAccount(other, client), client.looseName, ci.url)
  const now = Math.floor(Date.now() / 1000)
  const wrong: readonly (readonly [string, string])[] = [
    [
      'the job of another workflow',
      ci.token(audience, { workflow_ref: 'probe/widget/.github/workflows/x.yml@refs/heads/main' }),
    ],
    [
      'the job of another repository',
      ci.token(audience, {
        repository: 'evil/widget',
        workflow_ref: 'evil/widget/.github/workflows/publish.yml@refs/heads/main',
      }),
    ],
    ['a job of the event pull_request_target', ci.token(audience, { event_name: 'pull_request_target' })],
    ['a token for another registry', ci.token('npm:registry.example')],
    ['a token that has expired', ci.token(audience, { iat: now - 700, exp: now - 400 })],
    ['a token whose signature is of something else', forged(ci, audience)],
    ['a token of alg none', withoutSignature(ci.token(audience))],
  ]
  for (const [what, jwt] of wrong) await refuses(client, jwt, what)
  return [`refused: ${wrong.map(([what]) => what).join(', ')}`]
}

async function showPublish(client: ProbeClient, ci: ProbeCi, other: ProbeInstance): Promise<string[]> {
  const jwt = ci.token(audienceOf(other))
  const reply = await exchange(client, jwt)
  demand(reply.status === 201, `the trusted job must get a token, and gets ${describeReply(reply)}`)
  const { token, expires } = JSON.parse(reply.body.toString()) as { token: string; expires: string }
  const life = Date.parse(expires) - Date.now()
  demand(life > 0 && life <= longestLifeMs, `the token must live about fifteen minutes, not ${life} ms`)
  await refuses(client, jwt, 'an identity token that was used before')
  const name = client.looseName
  const published = await client.publish({ name, version: '1.0.0' }, token)
  demand(published.status === 201, `its job must publish a new package: ${describeReply(published)}`)
  const elsewhere = await client.publish({ name: client.nameOf('other'), version: '1.0.0' }, token)
  demand(isRefused(elsewhere), `its token must publish nothing else, and got ${describeReply(elsewhere)}`)
  return [
    `a job published the new package ${name} by its identity; its token lives ${Math.round(life / 60_000)} minutes, for that package alone`,
    'its identity token was refused the second time',
  ]
}

function audienceOf({ url }: ProbeInstance): string {
  return `npm:${new URL(url).hostname}`
}

/** At the root, where npm looks for it. */
function exchange(client: ProbeClient, jwt: string): Promise<Reply> {
  const path = `/-/npm/v1/oidc/token/exchange/package/${encodeName(client.looseName)}`
  return client.ask('POST', path, { token: jwt })
}

async function refuses(client: ProbeClient, jwt: string, what: string): Promise<void> {
  const reply = await exchange(client, jwt)
  demand(isRefused(reply), `${what} must get no token, and gets ${describeReply(reply)}`)
}

function isRefused({ status }: Reply): boolean {
  return status >= 400 && status < 500
}

/** On the page of the package that is not there yet, as a person does. */
async function addPublisher(
  { url }: ProbeInstance,
  { login, password }: ProbeAccount,
  name: string,
  issuer: string,
): Promise<void> {
  const post = (path: string, fields: Record<string, string>, cookie = '') =>
    fetch(url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: new URL(url).origin, cookie },
      body: new URLSearchParams(fields),
    })
  const cookie = (await post('/sign-in', { login, password })).headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const fields = { act: 'add', issuer, repository: 'probe/widget', workflow: 'publish.yml' }
  const added = await post(`/publishers/npm/${name}`, fields, cookie)
  demand(added.status === 303, `the page must add a trusted publisher, and answers ${added.status}`)
}

function forged(ci: ProbeCi, audience: string): string {
  const [head, , signature] = ci.token(audience, { repository_id: '1' }).split('.')
  return [head, ci.token(audience).split('.')[1], signature].join('.')
}

function withoutSignature(jwt: string): string {
  const head = Buffer.from(JSON.stringify({ alg: 'none', kid: 'probe' })).toString('base64url')
  return `${head}.${jwt.split('.')[1]}.`
}
