// SPDX-License-Identifier: Apache-2.0
/** What pnpm, yarn 1, berry and bun can do besides installing. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Desk, noTerminal, openDesk, type Run, type RunOptions } from './client.ts'
import { fails, passes } from './expect.ts'
import { browsing, typing } from './npm-account.ts'
import { makePerson, type Person, signInAs } from './person.ts'
import type { Registry } from './registry.ts'

export function pnpmStory(registry: Registry): void {
  let desk: Desk
  let pia: Person
  const pnpm = (args: readonly string[], options?: RunOptions): Promise<Run> => desk.run('.', args, options)
  const said = async (...args: string[]) => passes(await pnpm(args)).text.trim()
  const lib = '@orgpnpm/lib'

  before(async () => {
    pia = await makePerson(registry, 'pia')
    await makePerson(registry, 'paul')
    await pia.createOrg('orgpnpm')
    const token = await signInAs(registry, pia)
    desk = await openDesk('pnpm', registry.npm, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
    const manifest = { description: 'A library for pnpm to find', keywords: ['pnpmsearchable'] }
    for (const version of ['1.0.0', '1.1.0'])
      for (const name of [lib, 'pnpm-doomed']) await registry.publish({ name, version, manifest }, token)
    await registry.call('/-/org/orgpnpm/user', { method: 'PUT', token, body: { user: 'paul' } })
  })
  after(() => desk?.remove())

  test('pnpm whoami, ping, view and search', async () => {
    assert.equal(await said('whoami'), 'pia')
    assert.match(await said('ping'), /PONG/)
    assert.match(await said('view', lib), /@orgpnpm\/lib@1\.1\.0 \| MIT .*\nA library for pnpm to find/)
    assert.match(await said('search', 'pnpmsearchable'), /A library for pnpm to find/)
  })

  test('pnpm dist-tag adds, lists and removes tags', async () => {
    assert.equal(await said('dist-tag', 'add', `${lib}@1.0.0`, 'old'), `+old: ${lib}@1.0.0`)
    assert.equal(await said('dist-tag', 'ls', lib), 'latest: 1.1.0\nold: 1.0.0')
    assert.equal(await said('dist-tag', 'rm', lib, 'old'), `-old: ${lib}@1.0.0`)
  })

  test('pnpm deprecate and undeprecate', async () => {
    passes(await pnpm(['deprecate', `${lib}@1.0.0`, 'use 1.1']))
    assert.equal(await said('view', `${lib}@1.0.0`, 'deprecated'), 'use 1.1')
    passes(await pnpm(['undeprecate', `${lib}@1.0.0`]))
    assert.equal(await said('view', `${lib}@1.0.0`, 'deprecated'), '')
  })

  test('pnpm owner adds, lists and removes owners', async () => {
    passes(await pnpm(['owner', 'add', lib, 'paul']))
    assert.match(await said('owner', 'ls', lib), /paul <paul@people\.example>/)
    passes(await pnpm(['owner', 'rm', lib, 'paul']))
    assert.equal(await said('owner', 'ls', lib), 'pia <pia@people.example>')
  })

  test('pnpm access shows and changes who may see and write a package', async () => {
    passes(await pnpm(['access', 'set', 'status=restricted', lib]))
    assert.match(await said('access', 'get', 'status', lib), /access: restricted/)
    assert.match(await said('access', 'list', 'packages'), /@orgpnpm\/lib: write/)
    assert.match(await said('access', 'list', 'collaborators', lib), /pia <pia@people\.example>: read-write/)
    passes(await pnpm(['access', 'set', 'status=public', lib]))
  })

  test('pnpm team and its grants', async () => {
    passes(await pnpm(['team', 'create', '@orgpnpm:devs']))
    passes(await pnpm(['team', 'add', '@orgpnpm:devs', 'paul']))
    assert.match(await said('team', 'ls', '@orgpnpm'), /@orgpnpm:devs/)
    assert.match(await said('team', 'ls', '@orgpnpm:devs'), /paul/)
    passes(await pnpm(['access', 'grant', 'read-only', '@orgpnpm:devs', lib]))
    passes(await pnpm(['access', 'revoke', '@orgpnpm:devs', lib]))
    passes(await pnpm(['team', 'rm', '@orgpnpm:devs', 'paul']))
    passes(await pnpm(['team', 'destroy', '@orgpnpm:devs']))
  })

  test('pnpm star, unstar and stars', async () => {
    passes(await pnpm(['star', lib]))
    assert.equal(await said('stars'), lib)
    passes(await pnpm(['unstar', lib]))
    assert.equal(await said('stars'), '')
  })

  test('pnpm profile and token', { skip: noTerminal }, async () => {
    assert.match(await said('profile', 'get'), /name: pia\nemail: pia@people\.example \(verified\)/)
    passes(await pnpm(['profile', 'set', 'fullname', 'Pia P']))
    const made = passes(
      await pnpm(['token', 'create', '--read-only'], {
        terminal: true,
        ...typing([/assword/, pia.password]),
      }),
    )
    const secret = /holdfast_\w+/.exec(made.text)?.[0] ?? ''
    assert.equal((await registry.call('/-/whoami', { token: secret })).status, 200)
    assert.match(await said('token', 'list'), /with id (\S+) name/)
    passes(await pnpm(['token', 'revoke', secret]))
    assert.equal((await registry.call('/-/whoami', { token: secret })).status, 401)
  })

  test('pnpm unpublish removes a version, then everything, and tells who asks later', async () => {
    passes(await pnpm(['unpublish', 'pnpm-doomed@1.1.0']))
    assert.equal(await said('view', 'pnpm-doomed', 'version'), '1.0.0')
    passes(await pnpm(['unpublish', 'pnpm-doomed', '--force']))
    fails(
      await pnpm(['view', 'pnpm-doomed']),
      /No versions available for pnpm-doomed because it was unpublished/,
    )
  })

  test('pnpm audit signatures checks what it installed against the keys of this registry', async () => {
    await desk.folder('signed', { name: 'signed', version: '1.0.0', dependencies: { [lib]: '1.1.0' } })
    passes(await desk.run('signed', ['install']))
    assert.match(
      passes(await desk.run('signed', ['audit', 'signatures'])).text,
      /1 package has a verified registry signature/,
    )
  })

  test('pnpm logout, and login by the browser', async () => {
    passes(await pnpm(['logout']))
    await desk.configure(undefined)
    fails(await pnpm(['whoami']), /ERR_PNPM_WHOAMI/)
    passes(await pnpm(['login'], browsing(pia, 'grant')))
    assert.equal(await said('whoami'), 'pia')
  })
}

export function yarnStory(registry: Registry): void {
  let desk: Desk
  let yara: Person
  const yarn = (args: readonly string[], options?: RunOptions): Promise<Run> => desk.run('.', args, options)

  before(async () => {
    yara = await makePerson(registry, 'yara')
    await makePerson(registry, 'yves')
    const token = await signInAs(registry, yara)
    desk = await openDesk('yarn', registry.npm, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true, license: 'MIT' })
    for (const version of ['1.0.0', '1.1.0']) await registry.publish({ name: 'yarn-lib', version }, token)
  })
  after(() => desk?.remove())

  test('yarn tag adds, lists and removes tags', async () => {
    passes(await yarn(['tag', 'add', 'yarn-lib@1.0.0', 'old']))
    assert.match(passes(await yarn(['tag', 'list', 'yarn-lib'])).text, /latest: 1\.1\.0\ninfo old: 1\.0\.0/)
    passes(await yarn(['tag', 'remove', 'yarn-lib', 'old']))
  })

  test('yarn info and owner list', async () => {
    assert.match(passes(await yarn(['info', 'yarn-lib', 'version'])).text, /1\.1\.0/)
    assert.match(passes(await yarn(['owner', 'list', 'yarn-lib'])).text, /yara <yara@people\.example>/)
  })

  test('yarn owner add, which would wipe the list of owners, changes nothing', async () => {
    fails(await yarn(['owner', 'add', 'yves', 'yarn-lib']), /changed by someone else in the meantime/)
    assert.match(passes(await yarn(['owner', 'list', 'yarn-lib'])).text, /yara/)
  })

  test('yarn team, which leaves out the prefix, is told that there is nothing there', async () => {
    assert.match((await yarn(['team', 'list', 'acme'])).text, /Not found/)
  })

  test('yarn publish asks for user and password in a terminal, and ends its token afterwards', {
    skip: noTerminal,
  }, async () => {
    await desk.configure(undefined)
    await desk.folder('typed', { name: 'yarn-typed', version: '1.0.0', license: 'MIT' })
    const answers = typing(
      [/question npm username:/, 'yara'],
      [/question npm email:/, yara.email],
      [/question npm password:/, yara.password],
    )
    const run = await desk.run('typed', ['publish', '--new-version', '1.0.0'], { terminal: true, ...answers })
    assert.match(passes(run).text, /Published\..*Revoked login token/s)
  })
}

export function berryStory(registry: Registry): void {
  let desk: Desk
  let bert: Person
  const berry = (args: readonly string[], options?: RunOptions): Promise<Run> => desk.run('.', args, options)
  const said = async (...args: string[]) => passes(await berry(['npm', ...args])).text

  before(async () => {
    bert = await makePerson(registry, 'bert')
    const token = await signInAs(registry, bert)
    desk = await openDesk('berry', registry.npm, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
    for (const version of ['1.0.0', '1.1.0']) await registry.publish({ name: 'berry-lib', version }, token)
    passes(await berry(['install']))
  })
  after(() => desk?.remove())

  test('berry whoami, info and tags', async () => {
    assert.match(await said('whoami'), /bert/)
    assert.match(await said('info', 'berry-lib', '--fields', 'version', '--json'), /"version":"1\.1\.0"/)
    assert.match(await said('tag', 'add', 'berry-lib@1.0.0', 'old'), /Tag old added/)
    assert.match(await said('tag', 'list', 'berry-lib'), /latest → 1\.1\.0\n.*old → 1\.0\.0/)
    assert.match(await said('tag', 'remove', 'berry-lib', 'old'), /Tag old removed/)
  })

  test('berry login by password, and logout', async () => {
    await desk.configure(undefined)
    passes(await berry(['npm', 'login'], typing([/Username:/, 'bert'], [/Password:/, bert.password])))
    assert.match(await said('whoami'), /bert/)
    passes(await berry(['npm', 'logout']))
    fails(await berry(['npm', 'whoami']), /No authentication configured/)
  })

  test('berry login by the browser', async () => {
    await desk.configure(undefined)
    const page = browsing(bert, 'grant')
    const question = typing([/open your browser/, 'n'])
    const options: RunOptions = {
      onOutput(text, write) {
        question.onOutput?.(text, write)
        page.onOutput?.(text, write)
      },
    }
    passes(await berry(['npm', 'login', '--web-login'], options))
    assert.match(await said('whoami'), /bert/)
  })
}

export function bunStory(registry: Registry): void {
  let desk: Desk
  const bun = (args: readonly string[], options?: RunOptions): Promise<Run> => desk.run('.', args, options)

  before(async () => {
    const bea = await makePerson(registry, 'bea')
    const token = await signInAs(registry, bea)
    desk = await openDesk('bun', registry.npm, token)
    for (const version of ['1.0.0', '1.1.0']) await registry.publish({ name: 'bun-lib', version }, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', dependencies: { 'bun-lib': '1.0.0' } })
    passes(await bun(['install']))
  })
  after(() => desk?.remove())

  test('bun whoami, info and outdated', async () => {
    assert.equal(passes(await bun(['pm', 'whoami'])).stdout.trim(), 'bea')
    assert.match(
      passes(await bun(['info', 'bun-lib'])).text,
      /bun-lib@1\.1\.0 .* versions: 2[\s\S]*- bea <bea@people\.example>/,
    )
    assert.match(passes(await bun(['outdated'])).text, /bun-lib +\| 1\.0\.0 +\| 1\.0\.0 +\| 1\.1\.0/)
  })

  test('bun publish --tolerate-republish is quiet about what is there', async () => {
    await desk.folder('lib', { name: 'bun-lib', version: '1.1.0', license: 'MIT' })
    passes(await desk.run('lib', ['publish', '--tolerate-republish']))
  })

  test('bun publish without a token asks for one', async () => {
    await desk.configure(undefined)
    fails(await desk.run('lib', ['publish']), /missing authentication/)
  })
}
