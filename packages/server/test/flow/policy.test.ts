// SPDX-License-Identifier: Apache-2.0
/** The policy as people meet it: what it hides, what it says, and how an exception is asked for and ends. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import { type Advisory, parseRules } from '../../src/catalog/index.ts'
import {
  addAdvisories,
  applyPolicy,
  askWaiver,
  decideWaiver,
  previewPolicy,
  setRuleMode,
  tellOfEndingWaivers,
} from '../../src/flow/index.ts'
import { operator, toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, type World, whence } from '../world.ts'

let world: World
let alice: Someone
let rita: Someone

const script = { manifest: { scripts: { postinstall: 'node steal.js' } } }
const hosted = { origins: ['hosted'] }
const scriptRule = { kind: 'install-script', mode: 'enforce', ...hosted }

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  rita = await world.someone('rita', ['responder'])
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const set = (...rules: unknown[]) => {
  world.advance(1000)
  return applyPolicy(world.ports, operator, parseRules(rules))
}

/** One closed version beside an open one. */
async function publishTwo(name: string): Promise<void> {
  await world.publish(alice, name, '1.0.0')
  await world.publish(alice, name, '1.1.0', script)
}

const tarball = (name: string, version: string) => world.npm(`GET /${name}/-/${name}-${version}.tgz`)

test('what a rule closes is gone from every list, and the exact request says rule, reason, way out', async () => {
  await publishTwo('scripted')
  assert.equal((await tarball('scripted', '1.1.0')).status, 200)
  await publishTwo('untouched')
  await set(scriptRule)
  const document = await world.document('untouched')
  assert.deepEqual(Object.keys(document.versions), ['1.0.0'])
  assert.equal(document['dist-tags'].latest, '1.0.0')
  assert.match(
    document.policyRestrictions.message,
    /1\.1\.0 is blocked: it runs code .*\/why\/npm\/untouched/,
  )
  const refused = await tarball('untouched', '1.1.0')
  assert.equal(refused.status, 403)
  assert.equal(refused.body.code, 'version-blocked')
  for (const told of ['it runs code of its own', 'Allowed instead: 1.0.0', '/why/npm/untouched/1.1.0'])
    assert.ok(refused.body.error.includes(told), `${told} in ${refused.body.error}`)
  assert.equal((await world.npm('GET /untouched/1.1.0')).status, 403)
  assert.equal((await world.npm('GET /-/package/untouched/dist-tags')).body.latest, '1.0.0')
  const [hit] = (await world.npm('GET /-/v1/search?text=untouched')).body.objects
  assert.equal(hit.package.version, '1.0.0')
  const why = await world.ask('GET /api/v1/why/npm/untouched/1.1.0')
  assert.deepEqual(
    [why.body.status, why.body.rule, why.body.next, why.body.served, why.body.waivable],
    ['blocked', 'install-script', '1.0.0', false, true],
  )
  const page = await world.ask('GET /why/npm/untouched/1.1.0')
  assert.equal(page.status, 200)
  assert.match(page.text, /The rule install-script closes it/)
})

test('what was fetched before the rule came is left alone', async () => {
  assert.deepEqual(Object.keys((await world.document('scripted')).versions), ['1.0.0', '1.1.0'])
  const why = await world.ask('GET /api/v1/why/npm/scripted/1.1.0')
  assert.equal(why.body.hits[0].spared, 'grandfathered')
})

test('a rule is tried before it is carried out, counted, and switched by its name', async () => {
  await publishTwo('watched')
  await set({ ...scriptRule, mode: 'monitor' })
  assert.equal((await tarball('watched', '1.1.0')).status, 200)
  await world.ports.downloads.flush()
  const wider = parseRules([{ kind: 'deny', packages: ['watched'], mode: 'enforce', ...hosted }])
  const preview = await previewPolicy(world.ports, wider)
  assert.deepEqual(
    preview.hidden.map(each => [each.package, each.version, each.rule]),
    [['watched', '1.1.0', 'deny']],
  )
  world.advance(1000)
  await setRuleMode(world.ports, operator, 'install-script', 'enforce')
  await assert.rejects(setRuleMode(world.ports, operator, 'no-such', 'enforce'), { code: 'rule-not-found' })
  const last = (await world.ports.store.events.search({ type: 'policy' }, 1e9, 1))[0]
  assert.equal(last?.detail['hides'], 0)
  assert.ok(Number(last?.detail['of']) > 0)
  await assert.rejects(setRuleMode(world.ports, await actorOf(alice), 'install-script', 'monitor'), {
    code: 'forbidden',
  })
})

test('a waiver opens one version until its end, with nobody doing anything at the end', async () => {
  await publishTwo('wished')
  const subject = { name: 'wished' as PackageName, version: '1.1.0' as Version }
  const asked = await world.ask('POST /api/v1/waivers', {
    token: alice.token,
    body: { ...subject, reason: 'the driver <b>needs</b> it' },
  })
  assert.equal(asked.status, 201)
  const again = await world.ask('POST /api/v1/waivers', {
    token: alice.token,
    body: { ...subject, reason: 'again' },
  })
  assert.equal(again.body.id, asked.body.id)
  assert.ok((await world.ask('GET /why/npm/wished/1.1.0')).text.includes('&lt;b&gt;needs'))
  const { id } = asked.body
  await assert.rejects(decideWaiver(world.ports, await actorOf(alice), id, grant(2)), { code: 'forbidden' })
  assert.equal((await tarball('wished', '1.1.0')).status, 403)
  await decideWaiver(world.ports, await actorOf(rita), id, grant(2))
  assert.equal((await tarball('wished', '1.1.0')).status, 200)
  assert.deepEqual(Object.keys((await world.document('wished')).versions), ['1.0.0', '1.1.0'])
  await assert.rejects(decideWaiver(world.ports, operator, id, grant(9)), { code: 'waiver-decided' })
  await tellOfEndingWaivers(world.ports)
  await tellOfEndingWaivers(world.ports)
  world.advance(2 * dayMs)
  assert.equal((await tarball('wished', '1.1.0')).status, 403)
  assert.deepEqual(Object.keys((await world.document('wished')).versions), ['1.0.0'])
  await tellOfEndingWaivers(world.ports)
  const letters = await world.ports.store.mail.listRecent(50)
  const of = (to: string) => letters.filter(each => each.to === to).map(each => each.subject.split(' – ')[0])
  assert.equal(of(rita.email).length, 3, 'asked, ends soon, has ended')
  assert.equal(of(alice.email).length, 3, 'granted, ends soon, has ended')
  assert.equal((await world.ports.store.policy.findWaiver(id))?.state, 'ended')
})

test('a responder grants nobody’s wish but others’, and takes back their own', async () => {
  await publishTwo('selfish')
  const wish = { name: 'selfish', version: '1.1.0', reason: 'for me' }
  const { id } = (await world.ask('POST /api/v1/waivers', { token: rita.token, body: wish })).body
  await assert.rejects(decideWaiver(world.ports, await actorOf(rita), id, grant(2)), { code: 'waiver-own' })
  assert.equal((await tarball('selfish', '1.1.0')).status, 403)
  await decideWaiver(world.ports, await actorOf(rita), id, { kind: 'refuse', words: 'not needed' })
})

test('a waiver that is ended before its time closes at once, and one that is refused opens nothing', async () => {
  await publishTwo('revoked')
  const subject = { name: 'revoked' as PackageName, version: '1.1.0' as Version }
  const first = await askWaiver(world.ports, await actorOf(alice), subject, 'please')
  await decideWaiver(world.ports, operator, first.id, { kind: 'refuse', words: 'no' })
  assert.equal((await tarball('revoked', '1.1.0')).status, 403)
  const second = await askWaiver(world.ports, await actorOf(alice), subject, 'please')
  assert.notEqual(second.id, first.id)
  await decideWaiver(world.ports, operator, second.id, grant(30))
  assert.equal((await tarball('revoked', '1.1.0')).status, 200)
  await decideWaiver(world.ports, operator, second.id, { kind: 'end', words: 'misused' })
  assert.equal((await tarball('revoked', '1.1.0')).status, 403)
})

test('nobody asks without an account, for what is open, for what they may not see, or for ever', async () => {
  const mallory = await world.someone('mallory')
  await publishTwo('private-thing')
  await world.npm('POST /-/package/private-thing/access', {
    token: alice.token,
    body: { access: 'restricted' },
  })
  const ask = (name: string, version: string, token?: string) =>
    world.ask('POST /api/v1/waivers', { token, body: { name, version, reason: 'please' } })
  assert.equal((await ask('untouched', '1.1.0')).status, 401)
  assert.equal((await ask('untouched', '1.0.0', mallory.token)).body.code, 'waiver-pointless')
  assert.equal((await ask('private-thing', '1.1.0', mallory.token)).status, 404)
  assert.equal((await ask('absent-thing', '1.1.0', mallory.token)).status, 404)
  assert.equal((await world.ask('GET /api/v1/why/npm/private-thing/1.1.0')).status, 404)
  assert.equal((await world.ask('GET /why/npm/private-thing/1.1.0')).status, 404)
  assert.equal((await world.ask('GET /api/v1/why/npm/%2e.%2fx/1.0.0')).status, 400)
  const { id } = await askWaiver(
    world.ports,
    await actorOf(mallory),
    { name: 'untouched' as PackageName, version: '1.1.0' as Version },
    'x'.repeat(5000),
  )
  assert.equal((await world.ports.store.policy.findWaiver(id))?.reason.length, 1000)
  for (const days of [0, -1, 366, Number.NaN])
    await assert.rejects(decideWaiver(world.ports, operator, id, grant(days)), { code: 'invalid-body' })
})

test('an advisory that comes in closes what it names at once, whatever was served, and no waiver is asked for malware', async () => {
  await set({ kind: 'malware', mode: 'enforce', ...hosted })
  await world.publish(alice, 'turned', '1.0.0')
  await world.publish(alice, 'turned', '1.0.1')
  assert.equal((await tarball('turned', '1.0.1')).status, 200)
  await world.ports.downloads.flush()
  const malware: Advisory = {
    id: 'MAL-2026-7',
    package: 'turned' as PackageName,
    range: '1.0.1',
    fixed: [],
    kind: 'malware',
    severity: 'critical',
    aliases: [],
    cvss: null,
    cwe: [],
    title: 'sends tokens away',
    url: '',
    publishedAt: world.now(),
    modifiedAt: world.now(),
    withdrawnAt: null,
  }
  assert.equal(await addAdvisories(world.ports, operator, [malware], []), 1)
  assert.equal(await addAdvisories(world.ports, operator, [malware], []), 0)
  const refused = await tarball('turned', '1.0.1')
  assert.equal(refused.status, 403)
  assert.match(refused.body.error, /known malware \(MAL-2026-7\)/)
  const subject = { name: 'turned' as PackageName, version: '1.0.1' as Version }
  await assert.rejects(askWaiver(world.ports, operator, subject, 'it is fine'), { code: 'waiver-pointless' })
  await addAdvisories(world.ports, operator, [{ ...malware, withdrawnAt: world.now() }], [])
  assert.equal((await tarball('turned', '1.0.1')).status, 200)
})

test('a policy in the configuration is the truth from the start, and is changed nowhere else', async () => {
  const rules = [{ kind: 'deny', packages: ['left-*'], mode: 'enforce', ...hosted }]
  const other = await openWorld({ policy: JSON.stringify(rules) })
  try {
    await other.publish(await other.someone('bob'), 'left-pad', '1.0.0')
    assert.equal((await other.npm('GET /left-pad/-/left-pad-1.0.0.tgz')).status, 403)
    await assert.rejects(setRuleMode(other.ports, operator, 'deny', 'monitor'), { code: 'policy-configured' })
    assert.deepEqual(other.errors, [])
  } finally {
    await other.close()
  }
})

function grant(days: number) {
  return { kind: 'grant', days, words: 'until the fix' } as const
}

async function actorOf({ id }: Someone) {
  const account = await world.ports.store.identity.findAccount(id)
  assert.ok(account !== undefined)
  const credential = { kind: 'session', id: '', freshUntil: world.now() + dayMs } as const
  return toPerson(account, credential, whence)
}
