// SPDX-License-Identifier: Apache-2.0
/** The description of the API against the API: what it says is there answers, to whom it says, and takes what it says. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openWorld } from '../world.ts'

const world = await openWorld()
after(() => world.close())

interface Operation {
  readonly security: readonly object[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
interface Schema {
  readonly type?: string
  readonly required?: readonly string[]
}

const answer = await world.ask('GET /api/v1/openapi.json')
const { openapi, servers, paths } = answer.body as {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)
/** With a value in each place; where it is none of something, the answer says so by a code of its own. */
const example = (path: string) =>
  path
    .replace('{name}', 'widget')
    .replace('{version}', '1.0.0')
    .replace(/\{\w+\}/g, 'x')
/** Nothing is there while no drill plays it, and while no programme is connected. */
const sleeping = ['/api/v1/drill-upstream/{name}', '/api/v1/leaks/github']
/** It says so with 401 when the identity token of the job is missing. */
const ownProof = ['/api/v1/ci/token']

test('the description names this registry and more than forty operations', () => {
  assert.equal(answer.status, 200)
  assert.equal(openapi, '3.1.0')
  assert.equal(servers[0]?.url, world.url)
  assert.ok(operations.length > 40, `${operations.length}`)
})

test('each operation is there, asks nobody for a token where it says so, and answers nobody elsewhere', async () => {
  for (const { path, method, operation } of operations) {
    if (sleeping.includes(path) || ownProof.includes(path)) continue
    const isOpen = operation.security.some(each => Object.keys(each).length === 0)
    const body = operation.requestBody === undefined ? {} : { body: {} }
    const { status, body: said } = await world.ask(`${method} ${example(path)}`, body)
    const { code } = Object(said) as { code?: string }
    assert.ok(
      code !== 'not-found' && code !== 'method-not-allowed',
      `${method} ${path} answers ${status} ${code}`,
    )
    if (isOpen) assert.notEqual(status, 401, `${method} ${path} answers ${code} to nobody`)
    else assert.equal(status, 401, `${method} ${path} answers ${code} to nobody`)
  }
})

test('what a description of a body calls needed is needed', async () => {
  const { token } = await world.someone('ann')
  for (const { path, method, operation } of operations) {
    const schema = operation.requestBody?.content['application/json']?.schema
    if ((schema?.required ?? []).length === 0 || sleeping.includes(path)) continue
    const { body } = await world.ask(`${method} ${example(path)}`, { token, body: {} })
    assert.match(String(Object(body).code), /^(invalid-body|forbidden|unauthori[sz]ed)/, `${method} ${path}`)
  }
})

test('what is not described is not there, and another method is told so', async () => {
  assert.equal((await world.ask('GET /api/v1/nothing')).status, 404)
  assert.equal((await world.ask('DELETE /api/v1/incidents/x')).status, 405)
  assert.equal((await world.ask('GET /api/v1/openapiXjson')).status, 404)
})
