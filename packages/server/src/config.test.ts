// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigFaults, environmentName, readConfig, withPort } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-'))
after(() => rmSync(folder, { recursive: true }))

function faultsOf(flags: Record<string, string>, environment = {}, file?: string): readonly string[] {
  try {
    readConfig(flags, environment, file)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigFaults)
    return error.faults
  }
}

function fileOf(text: string): string {
  const file = join(folder, `${Math.random()}.yaml`)
  writeFileSync(file, text)
  return file
}

test('a fresh instance is on loopback, readable by anyone, with accounts by invitation', () => {
  const config = readConfig({}, {})
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.publicUrl, 'http://127.0.0.1:4873')
  assert.equal(config.read, 'anyone')
  assert.equal(config.signUp, 'invitation')
  assert.deepEqual(config.trustedProxies, [])
})

test('flags win over the environment, the environment over the file', () => {
  const file = fileOf('port: 1\nhost: 127.0.0.1\nmailFrom: file@a.example\nsignUp: open\n')
  const config = readConfig({ port: '3' }, { HOLDFAST_PORT: '2', HOLDFAST_MAIL_FROM: 'env@a.example' }, file)
  assert.equal(config.port, 3)
  assert.equal(config.mailFrom, 'env@a.example')
  assert.equal(config.signUp, 'open')
})

test('all faults are told at once', () => {
  const file = fileOf('port: many\nsignUp: everybody\nnonsense: 1\ntrustedProxies: [10.0.0.0/33, here]\n')
  const faults = faultsOf({ publicUrl: 'ftp://a.example' }, { HOLDFAST_DATABASE: 'mysql://x' }, file)
  for (const key of ['port', 'signUp', 'nonsense', 'publicUrl', 'database'])
    assert.ok(
      faults.some(fault => fault.startsWith(`${key}:`)),
      `${key} in ${faults.join(' | ')}`,
    )
})

test('a mistyped key is a fault in the environment too, and names what was meant', () => {
  assert.deepEqual(
    faultsOf({}, { HOLDFAST_RAED: 'signed-in' }, fileOf('mfaa: all\npolicy: [nope]\n')).toSorted(),
    [
      'HOLDFAST_RAED: there is no such key. Did you mean HOLDFAST_READ?',
      'mfaa: there is no such key. Did you mean mfa?',
      'policy: 0: must be a rule, such as {kind: release-age, days: 3}',
    ],
  )
  // Of the command line, of its page for jobs, and of a cluster that has a service of this name.
  readConfig({}, { HOLDFAST_TOKEN: 'x', HOLDFAST_HOME: '/opt', HOLDFAST_SERVICE_PORT: '80' })
})

test('what goes across keys is told beside what is wrong in one', () => {
  const faults = faultsOf({ port: 'x', host: '0.0.0.0' })
  assert.deepEqual(
    faults.map(fault => fault.split(':')[0]),
    ['port', 'read', 'publicUrl'],
  )
})

test('CI services are named, given an address, or generic with the claims that bind', () => {
  const ciIssuers = 'github gitlab=https://git.acme.example generic:sub+project=https://ci.acme.example'
  assert.deepEqual(readConfig({ ciIssuers }, {}).ciIssuers.slice(1), [
    { provider: 'gitlab', issuer: 'https://git.acme.example', claims: [] },
    { provider: 'generic', issuer: 'https://ci.acme.example', claims: ['sub', 'project'] },
  ])
  assert.equal(readConfig({}, {}).ciIssuers.length, 3)
  const bad = [
    'jenkins',
    'generic=https://a.example',
    'generic:sub',
    'generic:+=https://a.example',
    'github:sub',
    'gitlab=git',
  ]
  for (const entry of bad) assert.match(faultsOf({ ciIssuers: entry })[0] ?? '', /^ciIssuers: /, entry)
})

test('private hosts that may be reached are names, addresses or networks', () => {
  const allowPrivateHosts = 'git.acme.internal localhost 10.0.0.0/8 ::1'
  assert.equal(readConfig({ allowPrivateHosts }, {}).allowPrivateHosts.length, 4)
  for (const bad of ['10.0.0.0/33', '10.0.0', 'https://a.example', '*.acme.internal'])
    assert.match(faultsOf({ allowPrivateHosts: bad })[0] ?? '', /^allowPrivateHosts: /, bad)
})

test('webhooks come from the file as they are, from the environment as JSON, each with its faults', () => {
  const url = 'https://chat.example/hook'
  const [told] = readConfig(
    {},
    {},
    fileOf(`webhooks:\n  - url: ${url}\n    as: chat\n    on: [held]\n`),
  ).webhooks
  assert.deepEqual([told?.url, told?.as, told?.on, told?.secret], [url, 'chat', ['held'], undefined])
  const [other] = readConfig({}, { HOLDFAST_WEBHOOKS: JSON.stringify([{ url }]) }).webhooks
  assert.equal(other?.id, told?.id)
  assert.deepEqual(faultsOf({ webhooks: '[' }), ['webhooks: must be JSON'])
  assert.deepEqual(faultsOf({ webhooks: '{}' }), ['webhooks: must be a list'])
  const bad = [
    { url: 'ftp://a' },
    { as: 'chat' },
    { url, on: ['everything'] },
    { url, secret: 'short' },
    { url, to: 'me' },
  ]
  assert.deepEqual(
    faultsOf({ webhooks: JSON.stringify(bad) }).map(fault => fault.split(': ')[0]),
    ['webhooks.0.url', 'webhooks.1.url', 'webhooks.2.on.0', 'webhooks.3.secret', 'webhooks.4.to'],
  )
})

test('networks of proxies are checked', () => {
  assert.deepEqual(faultsOf({ trustedProxies: '10.0.0.0/8 ::1 192.0.2.1' }), [])
  assert.equal(faultsOf({ trustedProxies: '10.0.0.0/33, here, 10.0.0.0/8/8' }).length, 3)
})

test('binding beyond loopback has to be spelled out', () => {
  const keys = (faults: readonly string[]) => faults.map(fault => fault.split(':')[0])
  assert.deepEqual(keys(faultsOf({ host: '0.0.0.0' })), ['read', 'publicUrl'])
  assert.deepEqual(keys(faultsOf({ host: '0.0.0.0', read: 'anyone', publicUrl: 'http://a.example' })), [
    'publicUrl',
  ])
  assert.deepEqual(faultsOf({ host: '0.0.0.0', read: 'signed-in', publicUrl: 'https://a.example' }), [])
})

test('a file that is no list of keys, or not there, is one fault', () => {
  assert.equal(faultsOf({}, {}, fileOf('- a\n- b\n')).length, 1)
  assert.equal(faultsOf({}, {}, fileOf('a: [1\n')).length, 1)
  assert.equal(faultsOf({}, {}, join(folder, 'missing.yaml')).length, 1)
})

test('what YAML only warns about is told as a fault, not printed beside the log', () => {
  const faults = faultsOf({}, {}, fileOf('port: !secret 4873\n'))
  assert.equal(faults.length, 1)
  assert.match(faults[0] ?? '', /Unresolved tag: !secret at line 1/)
})

test('an outer address is a host of its own, and carries no password', () => {
  assert.deepEqual(faultsOf({ publicUrl: 'https://npm.example/' }), [])
  for (const publicUrl of [
    'https://a.example/npm',
    'https://a.example?x',
    'https://a:b@a.example',
    'ftp://a',
  ])
    assert.match(
      faultsOf({ publicUrl }).join(),
      /^publicUrl: must be an http or https address without/,
      publicUrl,
    )
})

test('port 0 becomes the port that was bound', () => {
  assert.equal(withPort(readConfig({ port: '0' }, {}), 1234).publicUrl, 'http://127.0.0.1:1234')
})

test('keys become environment names', () => {
  assert.equal(environmentName('publicUrl'), 'HOLDFAST_PUBLIC_URL')
})

test('origins are an address or more, by name; their secrets become one header', () => {
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'secret-token\n')
  const file = fileOf(`
origins:
  public: https://registry.example/
  partner: { url: "https://npm.partner.example/repo", tokenFile: ${tokenFile} }
  old: { url: https://old.example, user: ann, password: "p:w" }
routes: { "@partner/*": partner, "old-*": old, "*": public }
`)
  const { origins = [], routes } = readConfig({}, {}, file)
  assert.deepEqual(
    origins.map(({ name, url, authorization }) => [name, url, authorization]),
    [
      ['public', 'https://registry.example', undefined],
      ['partner', 'https://npm.partner.example/repo', 'Bearer secret-token'],
      ['old', 'https://old.example', `Basic ${Buffer.from('ann:p:w').toString('base64')}`],
    ],
  )
  assert.deepEqual(routes.at(-1), { pattern: '*', origin: 'public' })
})

test('what credentials open at an upstream is not given to everybody who can reach this instance', () => {
  const origins = JSON.stringify({
    public: 'https://a.example',
    partner: { url: 'https://b.example', token: 't' },
  })
  const behindProxy = { HOLDFAST_ORIGINS: origins, HOLDFAST_ROUTES: '{"@b/*":"partner","*":"public"}' }
  const publicUrl = 'https://npm.acme.example'
  assert.match(faultsOf({ publicUrl }, behindProxy).join('\n'), /^origins\.partner: has credentials/)
  assert.equal(readConfig({ publicUrl, read: 'signed-in' }, behindProxy).read, 'signed-in')
  assert.equal(readConfig({}, behindProxy).read, 'anyone')
})

test('one line of the environment names an upstream for everything, or none', () => {
  const environment = { HOLDFAST_ORIGINS: '{"public":"https://registry.example"}' }
  assert.deepEqual(readConfig({}, environment).routes, [{ pattern: '*', origin: 'public' }])
  assert.deepEqual(readConfig({}, { HOLDFAST_ORIGINS: 'none' }).origins, [])
  assert.equal(readConfig({}, {}).origins, undefined)
})

test('faults of origins and routes are told with all others', () => {
  const file = fileOf(`
port: many
origins:
  Public: https://registry.example
  hosted: https://registry.example
  a: ftp://a.example
  b: https://ann:secret@b.example
  c: { url: https://c.example, token: x, user: ann, password: y }
  d: { url: https://d.example, tokenFile: /nowhere/at/all }
  e: { url: https://e.example, user: ann }
  f: { url: https://f.example, ca: ${join(folder, 'token')} }
routes: { "@a*b": a }
`)
  const faults = faultsOf({}, {}, file)
  for (const start of [
    'port',
    'origins.Public',
    'origins.hosted',
    'origins.a',
    'origins.b',
    'origins.c',
    'origins.d',
    'origins.e',
    'origins.f',
    'routes',
  ])
    assert.ok(
      faults.some(fault => fault.startsWith(start)),
      `${start} in ${faults.join(' | ')}`,
    )
  assert.doesNotMatch(faults.join(), /secret/)
  const two = '{"a":"https://a.example","b":"https://b.example"}'
  assert.match(faultsOf({}, { HOLDFAST_ORIGINS: two }).join(), /^routes: say which names/)
  assert.match(faultsOf({}, { HOLDFAST_ROUTES: '{"*":"a"}' }).join(), /not among origins/)
  const twice = { HOLDFAST_ORIGINS: two, HOLDFAST_ROUTES: '{"*":"a","*":"b"}' }
  assert.match(faultsOf({}, twice).join(), /^routes: must be JSON/)
})

test('faults of the policy are told one by one, with those of other keys', () => {
  const file = join(folder, 'policy.yaml')
  writeFileSync(
    file,
    `
port: many
popularNames: ${join(folder, 'no-such-list')}
origins: { up: https://a.example }
policy:
  - kind: release-age
  - kind: malware
    mode: sometimes
  - kind: deny
    packages: [left-pad]
    versions: ^1.0.0
    extra: 1
`,
  )
  const faults = faultsOf({}, {}, file).join('\n')
  for (const told of ['port', 'policy: 0.days', 'policy: 1.mode', 'policy: 2.versions', 'policy: 2.extra'])
    assert.ok(faults.includes(told), `${told} in ${faults}`)
  const elsewhere = JSON.stringify([{ kind: 'malware', origins: ['elsewhere', 'up', 'hosted'] }])
  const origins = '{"up":"https://a.example"}'
  assert.deepEqual(faultsOf({}, { HOLDFAST_POLICY: elsewhere, HOLDFAST_ORIGINS: origins }), [
    'policy: rule malware: there is no origin elsewhere',
  ])
  assert.match(faultsOf({}, { HOLDFAST_POPULAR_NAMES: '/no/such' }).join(), /there is no file/)
})

test('a rule that can never look at anything is a fault, though each of its parts is right', () => {
  const faultsOfRule = (rule: unknown) => faultsOf({ policy: JSON.stringify([rule]) })
  const deny = { kind: 'deny', packages: ['left-pad', '@acme/*'] }
  for (const [except, isFault] of [
    [['*'], true],
    [['left-*', '@acme/*'], true],
    [['left-pad', '@acme/ui'], false],
    [['@acme/*'], false],
  ] as const)
    assert.equal(faultsOfRule({ ...deny, except }).length, isFault ? 1 : 0, except.join())
  assert.deepEqual(faultsOfRule({ kind: 'malware', except: ['*'] }), [
    'policy: rule malware: `except` leaves none of its packages',
  ])
  assert.deepEqual(faultsOfRule({ kind: 'allow-only', packages: ['@acme/*'], except: ['left-pad'] }), [])
  assert.deepEqual(faultsOfRule({ kind: 'malware', origins: [] }), [
    'policy: rule malware: it looks at no origin',
  ])
  assert.deepEqual(faultsOfRule({ kind: 'malware', origins: ['nmp'] }), [
    'policy: rule malware: there is no origin nmp',
  ])
  assert.deepEqual(faultsOfRule({ kind: 'malware', origins: ['npm', 'hosted'] }), [])
})
