// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setUpLink } from '../../src/flow/index.ts'
import { totpCode } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Reply, type World } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const world = await openWorld({ signUp: 'open' })
const olga = await world.someone('olga', ['operator'])
const paul = await world.someone('paul')
after(() => world.close())

const minuteMs = 60_000
const form = { login: 'paul', password: paul.password }
const pathOf = (link: string) => new URL(link).pathname

test('whoever signs in gets a cookie out of reach of scripts and of other sites', async () => {
  const reply = await post(world, '/sign-in', form)
  assert.equal(reply.status, 303)
  assert.match(
    reply.headers.get('set-cookie') ?? '',
    /^holdfast-session=\w{30,}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
  )
})

test('a cookie that somebody planted before the sign-in opens nothing after it', async () => {
  const planted = await signInByPage(world, olga)
  for (const cookie of ['holdfast-session=PlantedPlantedPlantedPlantedPlantedPlanted1', planted]) {
    const reply = await post(world, '/sign-in', form, { cookie })
    const own = (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    assert.notEqual(own, cookie)
    assert.match((await get(world, '/account', { cookie: own })).text, /paul/)
    assert.doesNotMatch((await get(world, '/account', { cookie })).text, /paul/)
  }
})

test('a wrong password is told on the page, without saying whether the account exists', async () => {
  const wrong = await post(world, '/sign-in', { ...form, password: 'not this one' })
  const nobody = await post(world, '/sign-in', { login: 'nobody', password: 'not this one' })
  assert.deepEqual([wrong.status, nobody.status], [401, 401])
  // The challenge for a passkey is another on each page.
  const words = ({ text }: Reply) => text.replace(/<input type="hidden" name="challenge".*\n.*\n/, '')
  assert.equal(words(wrong).replaceAll('paul', 'nobody'), words(nobody))
  assert.equal(wrong.headers.get('set-cookie'), null)
  assert.doesNotMatch(wrong.text, /not this one/)
})

test('signing in leads on to where one wanted to go, and never to another site', async () => {
  const wanted = await get(world, '/account/tokens')
  assert.equal(wanted.status, 303)
  assert.equal(wanted.headers.get('location'), '/sign-in?next=%2Faccount%2Ftokens')
  const leads = async (next: string) =>
    (await post(world, '/sign-in', { ...form, next })).headers.get('location')
  assert.equal(await leads('/account/tokens'), '/account/tokens')
  for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    assert.equal(await leads(next), '/', next)
  }
})

test('a form from anywhere but our own pages is refused, whatever it asks for', async () => {
  const cookie = await signInByPage(world, paul)
  const foreign = [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' },
    { origin: world.url, 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-origin' },
    {},
  ]
  for (const headers of foreign) {
    for (const path of ['/sign-in', '/sign-out', '/account', '/account/tokens/new', '/operate/names']) {
      const reply = await post(
        world,
        path,
        { name: 'stolen', ...form },
        { cookie, headers: headers as Record<string, string> },
      )
      assert.equal(reply.status, 403, `${path} ${JSON.stringify(headers)}`)
      assert.equal(reply.headers.get('set-cookie'), null)
    }
  }
  assert.equal((await world.ports.store.identity.listTokens(paul.id)).length, 1)
})

test('npm routes take no cookie: nothing there checks where a request comes from', async () => {
  const cookie = await signInByPage(world, paul)
  assert.equal((await world.npm('GET /-/whoami', { headers: { cookie } })).status, 401)
  await world.publish(paul, 'pauls-own', '1.0.0', { access: 'restricted' })
  const reply = await world.npm('POST /-/package/pauls-own/access', {
    headers: { cookie },
    body: { access: 'public' },
  })
  assert.notEqual(reply.status, 200)
  assert.equal((await get(world, '/package/npm/pauls-own')).status, 404)
})

test('what is no form is refused before it is read', async () => {
  const headers = { origin: world.url, 'content-type': 'application/json' }
  const reply = await world.ask('POST /sign-in', { headers, body: form })
  assert.equal(reply.status, 400)
  const large = await post(world, '/sign-in', { ...form, next: 'x'.repeat(100_000) })
  assert.equal(large.status, 413)
  assert.equal((await world.ask('DELETE /account')).status, 405)
})

test('signing out ends the session, not only its cookie', async () => {
  const cookie = await signInByPage(world, paul)
  assert.equal((await get(world, '/account', { cookie })).status, 200)
  const reply = await post(world, '/sign-out', {}, { cookie })
  assert.match(reply.headers.get('set-cookie') ?? '', /holdfast-session=; .*Max-Age=0/)
  assert.equal((await get(world, '/account', { cookie })).status, 303)
})

test('a token is shown once, with the limits that were asked for', async () => {
  const cookie = await signInByPage(world, paul)
  const wish = {
    name: 'CI',
    permission: 'read-only',
    packages: '@acme/*\ntool-*',
    expires: '7',
    cidr: '127.0.0.0/8',
  }
  const made = await post(world, '/account/tokens/new', wish, { cookie })
  const secret = /holdfast_[a-z0-9]{8}_\w{38}/.exec(made.text)?.[0] ?? ''
  assert.equal((await world.npm('GET /-/whoami', { token: secret })).body.username, 'paul')
  const token = (await world.ports.store.identity.listTokens(paul.id)).find(each => each.name === 'CI')
  assert.deepEqual(token?.limits, {
    permission: 'read-only',
    packages: ['@acme/*', 'tool-*'],
    cidr: ['127.0.0.0/8'],
    bypassTfa: false,
  })
  assert.equal(token?.expiresAt, world.now() + 7 * dayMs)
  const { text } = await get(world, '/account/tokens', { cookie })
  assert.match(text, /CI/)
  assert.ok(!text.includes(secret))
  await post(world, '/account/tokens', { token: token?.id ?? '' }, { cookie })
  assert.equal((await world.npm('GET /-/whoami', { token: secret })).status, 401)
})

test('a token cannot be made with limits that mean nothing', async () => {
  const cookie = await signInByPage(world, paul)
  for (const wrong of [{ name: 'x', packages: 'a*b' }, { name: 'x', cidr: '999.1.1.1/8' }, { name: '' }]) {
    const reply = await post(world, '/account/tokens/new', wrong, { cookie })
    assert.equal(reply.status, 400, JSON.stringify(wrong))
  }
})

test('nobody revokes the token of somebody else', async () => {
  const cookie = await signInByPage(world, paul)
  const [token] = await world.ports.store.identity.listTokens(olga.id)
  assert.equal((await post(world, '/account/tokens', { token: token?.id ?? '' }, { cookie })).status, 404)
  assert.equal((await world.npm('GET /-/whoami', { token: olga.token })).status, 200)
})

test('in an old session a dangerous act asks for the password first', async () => {
  const cookie = await signInByPage(world, paul)
  world.advance(11 * minuteMs)
  const asked = await post(world, '/account/tokens/new', { name: 'late' }, { cookie })
  assert.equal(asked.headers.get('location'), '/confirm?next=%2Faccount%2Ftokens%2Fnew')
  assert.equal((await get(world, '/account/tokens/new', { cookie })).status, 303)
  assert.equal(
    (await post(world, '/confirm', { password: 'wrong', next: '/account/tokens/new' }, { cookie })).status,
    401,
  )
  const confirmed = await post(
    world,
    '/confirm',
    { password: paul.password, next: '/account/tokens/new' },
    { cookie },
  )
  assert.equal(confirmed.headers.get('location'), '/account/tokens/new')
  assert.match(
    (await post(world, '/account/tokens/new', { name: 'late' }, { cookie })).text,
    /Token late is made/,
  )
})

test('a new password needs the old one, and ends all other sessions', async () => {
  const who = await world.someone('nina')
  const [here, there] = [await signInByPage(world, who), await signInByPage(world, who)]
  const change = (old: string, wanted: string, again = wanted) =>
    post(world, '/account/password', { old, new: wanted, again }, { cookie: here })
  assert.equal((await change('wrong', 'seven green bottles')).status, 401)
  assert.equal((await change(who.password, 'short')).status, 400)
  assert.equal((await change(who.password, 'seven green bottles', 'another one of them')).status, 400)
  assert.equal((await change(who.password, 'seven green bottles')).status, 303)
  assert.equal((await get(world, '/account', { cookie: here })).status, 200)
  assert.equal((await get(world, '/account', { cookie: there })).status, 303)
})

test('sessions are listed, and each can be ended', async () => {
  const who = await world.someone('sara')
  const [here, there] = [await signInByPage(world, who), await signInByPage(world, who)]
  const { text } = await get(world, '/account/sessions', { cookie: here })
  const [other] = [...text.matchAll(/name="session" value="([^"]+)"/g)].map(([, id = '']) => id)
  await post(world, '/account/sessions', { session: other ?? '' }, { cookie: here })
  assert.deepEqual(
    [
      (await get(world, '/account', { cookie: here })).status,
      (await get(world, '/account', { cookie: there })).status,
    ],
    [200, 303],
  )
})

test('a second factor is begun, finished and asked for when signing in', async () => {
  const who = await world.someone('toni')
  const cookie = await signInByPage(world, who)
  const step = (fields: Record<string, string>) => post(world, '/account/second-factor', fields, { cookie })
  assert.equal((await step({ act: 'begin', mode: 'auth-and-writes', password: 'wrong' })).status, 401)
  const begun = await step({ act: 'begin', mode: 'auth-and-writes', password: who.password })
  const key = /id="key".*?<code>([A-Z2-7]+)<\/code>/s.exec(begun.text)?.[1] ?? ''
  assert.equal((await step({ act: 'finish', code: '000000' })).status, 401)
  const finished = await step({ act: 'finish', code: totpCode(key, world.now()) })
  assert.match(finished.text, /Two-factor authentication is on/)
  world.advance(minuteMs)
  const asked = await post(world, '/sign-in', { login: 'toni', password: who.password })
  assert.equal(asked.status, 401)
  assert.match(asked.text, /One-time code/)
  const signedIn = await post(world, '/sign-in', {
    login: 'toni',
    password: who.password,
    otp: totpCode(key, world.now()),
  })
  assert.equal(signedIn.status, 303)
})

test('after too many wrong passwords the page says when to come back', async () => {
  const who = await world.someone('rita')
  for (let i = 0; i < 10; i++) await post(world, '/sign-in', { login: 'rita', password: `wrong ${i}` })
  const reply = await post(world, '/sign-in', { login: 'rita', password: who.password })
  assert.equal(reply.status, 429)
  assert.match(reply.text, /Try again in \d+ minutes?/)
})

test('in an old session an operator changes nothing', async () => {
  const cookie = await signInByPage(world, olga)
  world.advance(11 * minuteMs)
  for (const [path, fields] of [
    ['/operate/names', { patterns: '@late/*' }],
    ['/operate/people', { email: 'late@people.example' }],
  ] as const) {
    const reply = await post(world, path, fields, { cookie })
    assert.equal(reply.headers.get('location'), `/confirm?next=${encodeURIComponent(path)}`)
  }
})

test('the profile is saved, and shown as text', async () => {
  const cookie = await signInByPage(world, paul)
  await post(world, '/account', { fullname: '<b>Paul</b>', homepage: 'https://paul.example' }, { cookie })
  const { text } = await get(world, '/account', { cookie })
  assert.match(text, /value="&lt;b&gt;Paul&lt;\/b&gt;"/)
})

test('where sign-up is open, an account is made unconfirmed, and the link in the letter confirms it', async () => {
  const reply = await post(world, '/sign-up', {
    login: 'newt',
    email: 'newt@people.example',
    password: 'three words in row',
  })
  assert.equal(reply.headers.get('location'), '/account?done=welcome')
  const cookie = reply.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  assert.match((await get(world, '/account', { cookie })).text, /is not confirmed yet/)
  const letter = (await world.ports.store.mail.listRecent(10)).find(each => each.to === 'newt@people.example')
  const path = pathOf(/https?:\S+\/verify\/\S+/.exec(letter?.text ?? '')?.[0] ?? '')
  // Mail scanners open links: that must not use it up.
  assert.equal((await get(world, path)).status, 200)
  assert.match((await get(world, '/account', { cookie })).text, /is not confirmed yet/)
  assert.equal((await post(world, path, {}, { cookie })).headers.get('location'), '/account?done=verified')
  assert.doesNotMatch((await get(world, '/account', { cookie })).text, /is not confirmed yet/)
  assert.equal((await post(world, path, {}, { cookie })).status, 403)
})

test('the operator pages do not exist for others, and tell no secret links', async () => {
  const [operator, other] = [await signInByPage(world, olga), await signInByPage(world, paul)]
  for (const page of ['/operate', '/operate/names', '/operate/people', '/operate/mail']) {
    assert.equal((await get(world, page)).status, 303, page)
    assert.equal((await get(world, page, { cookie: other })).status, 404, page)
    assert.equal((await get(world, page, { cookie: operator })).status, 200, page)
  }
  assert.equal(
    (await post(world, '/operate/names', { patterns: '@stolen/*' }, { cookie: other })).status,
    404,
  )
  const { text } = await get(world, '/operate/mail', { cookie: operator })
  assert.match(text, /Confirm your e-mail address/)
  assert.doesNotMatch(text, /\/verify\//)
})

test('an operator hosts names and takes them away, an event each', async () => {
  const cookie = await signInByPage(world, olga)
  await post(world, '/operate/names', { patterns: '@one/* two-*' }, { cookie })
  assert.match((await get(world, '/operate/names', { cookie })).text, /@one\/\*/)
  await post(world, '/operate/names', { patterns: '@one/*', act: 'remove' }, { cookie })
  assert.doesNotMatch((await get(world, '/operate/names', { cookie })).text, /@one\/\*/)
  assert.equal((await post(world, '/operate/names', { patterns: 'not a*pattern*' }, { cookie })).status, 400)
  const head = await world.ports.store.events.head()
  const events = (await world.ports.store.events.read(0, head)).filter(event => event.type === 'hosted-names')
  assert.deepEqual(
    events.slice(-3).map(event => [event.detail['op'], event.detail['pattern']]),
    [
      ['add', '@one/*'],
      ['add', 'two-*'],
      ['remove', '@one/*'],
    ],
  )
})

test('an operator invites, sees the link once, and it makes one account', async () => {
  const cookie = await signInByPage(world, olga)
  const invited = await post(
    world,
    '/operate/people',
    { email: 'ivan@people.example', roles: 'auditor' },
    { cookie },
  )
  const path = pathOf(/https?:[^<\s]+\/invitation\/[\w.]+/.exec(invited.text)?.[0] ?? '')
  assert.match((await get(world, path)).text, /ivan@people\.example/)
  const weak = await post(world, path, { login: 'ivan', password: 'short' })
  assert.equal(weak.status, 400)
  const made = await post(world, path, {
    login: 'ivan',
    email: 'other@evil.example',
    password: 'three words in row',
  })
  assert.equal(made.status, 303)
  const account = await world.ports.store.identity.findAccountByLogin('ivan')
  assert.deepEqual([account?.email, account?.roles], ['ivan@people.example', ['auditor']])
  assert.equal((await post(world, path, { login: 'ivan2', password: 'three words in row' })).status, 403)
})

async function wish(): Promise<{ page: string; poll(): Promise<Reply> }> {
  const { body } = await world.npm('POST /-/v1/login', {
    body: {},
    headers: { 'user-agent': 'npm/11.0.0 <b>' },
  })
  const done = new URL(body.doneUrl)
  return { page: pathOf(body.loginUrl), poll: () => world.ask(`GET ${done.pathname}${done.search}`) }
}

test('a command line is signed in by whoever approves its page, once', async () => {
  const { page, poll } = await wish()
  assert.equal((await get(world, page)).headers.get('location'), `/sign-in?next=${encodeURIComponent(page)}`)
  const cookie = await signInByPage(world, paul)
  const { text } = await get(world, page, { cookie })
  for (const wanted of ['login', '127.0.0.1', 'npm/11.0.0 &lt;b&gt;', 'just now'])
    assert.ok(text.includes(wanted), wanted)
  assert.equal((await poll()).status, 202)
  assert.match((await post(world, page, { answer: 'approve' }, { cookie })).text, /Approved/)
  const { body } = await poll()
  assert.equal((await world.npm('GET /-/whoami', { token: body.token })).body.username, 'paul')
  assert.equal((await post(world, page, { answer: 'approve' }, { cookie })).status, 410)
})

test('a denied wish ends, and so does one that is too old', async () => {
  const cookie = await signInByPage(world, paul)
  const denied = await wish()
  assert.match((await post(world, denied.page, { answer: 'deny' }, { cookie })).text, /Denied/)
  assert.ok((await denied.poll()).status >= 400)
  const late = await wish()
  world.advance(11 * minuteMs)
  assert.equal((await get(world, late.page, { cookie })).status, 410)
})

test('in an old session an approval asks for the password on the same page', async () => {
  const cookie = await signInByPage(world, paul)
  world.advance(20 * minuteMs)
  const { page, poll } = await wish()
  assert.match((await get(world, page, { cookie })).text, /Your password/)
  assert.equal((await post(world, page, { answer: 'approve', password: '' }, { cookie })).status, 401)
  assert.equal((await post(world, page, { answer: 'approve', password: 'wrong' }, { cookie })).status, 401)
  assert.equal((await poll()).status, 202)
  assert.match(
    (await post(world, page, { answer: 'approve', password: paul.password }, { cookie })).text,
    /Approved/,
  )
  assert.equal((await poll()).status, 200)
})

test('the first operator sets up the registry by the link, which works once', async () => {
  const fresh = await openWorld()
  try {
    await setUpWorld(fresh)
  } finally {
    await fresh.close()
  }
})

async function setUpWorld(fresh: World): Promise<void> {
  const link = (await setUpLink(fresh.ports)) ?? ''
  const path = pathOf(link)
  assert.match((await get(fresh, path)).text, /Names hosted here/)
  const typed = {
    login: 'first',
    email: 'first@acme.example',
    password: 'three words in row',
    patterns: '@acme/*\nacme-*',
  }
  const wrong = await post(fresh, path, { ...typed, patterns: '*bad*' })
  assert.equal(wrong.status, 400)
  assert.match(wrong.text, /first@acme\.example/)
  const made = await post(fresh, path, typed)
  assert.equal(made.headers.get('location'), '/operate')
  const cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  assert.match((await get(fresh, '/operate/names', { cookie })).text, /@acme\/\*/)
  assert.equal((await get(fresh, path)).status, 403)
  assert.equal(await setUpLink(fresh.ports), undefined)
}

test('on a registry for members only, every page about packages leads to the sign-in', async () => {
  const closed = await openWorld({ read: 'signed-in' })
  try {
    const who = await closed.someone('mia')
    await closed.publish(who, 'inside', '1.0.0')
    const home = await get(closed, '/')
    assert.equal(home.status, 200)
    assert.doesNotMatch(home.text, /inside/)
    for (const path of ['/search?q=inside', '/package/npm/inside', '/package/npm/nothing']) {
      assert.equal(
        (await get(closed, path)).headers.get('location'),
        `/sign-in?next=${encodeURIComponent(path)}`,
      )
    }
    const cookie = await signInByPage(closed, who)
    assert.equal((await get(closed, '/package/npm/inside', { cookie })).status, 200)
  } finally {
    await closed.close()
  }
})

test('everything is on record, and nothing here was a bug', async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})
