// SPDX-License-Identifier: Apache-2.0
/** Every npm command that changes or asks about packages, people and organisations. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Desk, openDesk, type Run } from './client.ts'
import { fails, passes } from './expect.ts'
import { makePerson, type Person, signInAs } from './person.ts'
import type { Registry } from './registry.ts'

/** Packages as their owner sees them. */
export function npmPackageStory(registry: Registry): void {
  const lib = 'npm-lib'
  let desk: Desk
  const npm = (...args: string[]): Promise<Run> => desk.run('.', args)
  const said = async (...args: string[]) => passes(await npm(...args)).stdout.trim()

  before(async () => {
    const owner = await makePerson(registry, 'nora')
    await makePerson(registry, 'nils')
    const token = await signInAs(registry, owner)
    desk = await openDesk('npm', registry.npm, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
    const manifest = { description: 'A library for npm to find', keywords: ['npmsearchable'] }
    for (const version of ['1.0.0', '1.1.0', '1.2.0'])
      for (const name of [lib, 'npm-doomed']) await registry.publish({ name, version, manifest }, token)
  })
  after(() => desk?.remove())

  test('npm whoami and npm ping answer', async () => {
    assert.equal(await said('whoami'), 'nora')
    assert.match(passes(await npm('ping')).text, /PONG/)
  })

  test('npm dist-tag adds, lists and removes tags', async () => {
    assert.equal(await said('dist-tag', 'add', `${lib}@1.0.0`, 'old'), `+old: ${lib}@1.0.0`)
    assert.equal(await said('dist-tag', 'ls', lib), 'latest: 1.2.0\nold: 1.0.0')
    assert.equal(await said('dist-tag', 'rm', lib, 'old'), `-old: ${lib}@1.0.0`)
    assert.equal(await said('dist-tag', 'ls', lib), 'latest: 1.2.0')
  })

  test('npm dist-tag is told why a tag is refused', async () => {
    fails(
      await npm('dist-tag', 'add', `${lib}@9.0.0`, 'old'),
      /'npm-lib' has no version 9\.0\.0\. List the versions/,
    )
    fails(
      await npm('dist-tag', 'rm', lib, 'latest'),
      /The tag `latest` cannot be removed\. Point it at another/,
    )
  })

  test('npm deprecate says it to whoever installs, and undeprecate takes it back', async () => {
    passes(await npm('deprecate', `${lib}@1.0.0`, 'use 1.1'))
    assert.equal(await said('view', `${lib}@1.0.0`, 'deprecated'), 'use 1.1')
    await desk.folder('user', { name: 'user', version: '1.0.0' })
    assert.match(
      passes(await desk.run('user', ['install', `${lib}@1.0.0`])).text,
      /deprecated npm-lib@1\.0\.0: use 1\.1/,
    )
    passes(await npm('undeprecate', `${lib}@1.0.0`))
    assert.equal(await said('view', `${lib}@1.0.0`, 'deprecated'), '')
  })

  test('npm view shows what there is, and who published it', async () => {
    const text = await said('view', lib)
    assert.match(text, /npm-lib@1\.2\.0 \| MIT \| deps: none \| versions: 3\nA library for npm to find/)
    assert.match(text, /maintainers:\n- nora <nora@people\.example>/)
    assert.match(text, /published .* by nora/)
    assert.deepEqual(JSON.parse(await said('view', lib, 'versions', '--json')), ['1.0.0', '1.1.0', '1.2.0'])
  })

  test('npm search finds by keyword, and says when there is nothing', async () => {
    await registry.until('/-/v1/search?text=npmsearchable', async answer => (await answer.json()).total === 2)
    const text = await said('search', 'npmsearchable')
    assert.match(text, /npm-lib\nA library for npm to find\nVersion 1\.2\.0 published .* by nora/)
    assert.match(await said('search', 'nothing-has-this-word'), /No matches found/)
  })

  test('npm owner lists, adds and removes owners, but not the last one', async () => {
    assert.equal(await said('owner', 'ls', lib), 'nora <nora@people.example>')
    assert.equal(await said('owner', 'add', 'nils', lib), `+ nils (${lib})`)
    assert.match(await said('owner', 'ls', lib), /^nils <\S+>\nnora <\S+>$/m)
    assert.equal(await said('owner', 'rm', 'nils', lib), `- nils (${lib})`)
    fails(await npm('owner', 'rm', 'nora', lib), /Cannot remove all owners/)
    fails(await npm('owner', 'add', 'nobody-here', lib), /There is no user nobody-here\. Check the spelling/)
  })

  test('npm star, unstar and stars', async () => {
    assert.match(await said('star', lib), /npm-lib/)
    assert.equal(await said('stars'), lib)
    assert.match(await said('unstar', lib), /npm-lib/)
    assert.match(passes(await npm('stars', 'nora')).text, /has not starred any packages/)
  })

  test('npm unpublish removes a version, then everything, and tells who asks later', async () => {
    assert.equal(await said('unpublish', 'npm-doomed@1.2.0'), '- npm-doomed@1.2.0')
    assert.equal(await said('view', 'npm-doomed', 'version'), '1.1.0')
    assert.deepEqual(JSON.parse(await said('view', 'npm-doomed', 'versions', '--json')), ['1.0.0', '1.1.0'])
    passes(await npm('unpublish', 'npm-doomed', '--force'))
    fails(await npm('view', 'npm-doomed'), /Unpublished on 20/)
  })

  test('npm publish is told that a removed version never comes back', async () => {
    await desk.folder('doomed', { name: 'npm-doomed', version: '1.2.0', license: 'MIT' })
    fails(await desk.run('doomed', ['publish', '--force']), /E403 .*previously published versions: 1\.2\.0/)
  })

  test('npm audit signatures asks Sigstore before it asks us, and without a network ends there', async () => {
    await desk.folder('signed', { name: 'signed', version: '1.0.0', dependencies: { [lib]: '1.1.0' } })
    passes(await desk.run('signed', ['install']))
    const before = (await registry.requests('/npm/v1/keys')).length
    const run = await desk.run('signed', ['audit', 'signatures'])
    if (run.code === 0) {
      assert.match(run.text, /1 package has a verified registry signature/)
      assert.ok((await registry.requests('/npm/v1/keys')).length > before)
      return
    }
    // Section 11.2: npm looks for our keys in Sigstore's public mirror first. pnpm checks the same signatures without it.
    assert.match(run.text, /tuf-repo-cdn\.sigstore\.dev/)
    assert.equal((await registry.requests('/npm/v1/keys')).length, before)
  })

  test('npm cannot change what belongs to others, and is told so', async () => {
    const token = await registry.token('stranger')
    await desk.configure(token)
    const refused = /E403 .*You may not [a-z -]+ npm-lib\. You can ask an owner of npm-lib/
    fails(await npm('dist-tag', 'add', `${lib}@1.0.0`, 'mine'), refused)
    fails(await npm('deprecate', lib, 'mine now'), refused)
    fails(await npm('unpublish', `${lib}@1.0.0`), refused)
    await desk.folder('lib', { name: lib, version: '3.0.0', license: 'MIT' })
    fails(await desk.run('lib', ['publish']), refused)
  })
}

/** Organisations, teams and access. */
export function npmOrgStory(registry: Registry): void {
  let desk: Desk
  let olga: Person
  const npm = (...args: string[]): Promise<Run> => desk.run('.', args)
  const said = async (...args: string[]) => passes(await npm(...args)).stdout.trim()
  const name = '@orgnpm/tool'

  before(async () => {
    olga = await makePerson(registry, 'olga')
    await makePerson(registry, 'otto')
    await olga.createOrg('orgnpm')
    const token = await signInAs(registry, olga)
    desk = await openDesk('npm', registry.npm, token)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
    await registry.publish({ name, version: '1.0.0' }, token)
  })
  after(() => desk?.remove())

  test('npm org sets, lists and removes members', async () => {
    assert.match(await said('org', 'set', 'orgnpm', 'otto', 'developer'), /Added otto as developer to orgnpm/)
    assert.match(await said('org', 'ls', 'orgnpm'), /olga - owner\notto - developer/)
    assert.match(await said('org', 'rm', 'orgnpm', 'otto'), /Successfully removed otto/)
    passes(await npm('org', 'set', 'orgnpm', 'otto', 'developer'))
  })

  test('npm team creates a team, and adds and removes its members', async () => {
    assert.equal(await said('team', 'create', '@orgnpm:core'), '+@orgnpm:core')
    assert.match(await said('team', 'ls', '@orgnpm'), /@orgnpm:core/)
    assert.match(await said('team', 'add', '@orgnpm:core', 'otto'), /otto added to @orgnpm:core/)
    assert.match(await said('team', 'ls', '@orgnpm:core'), /has 1 user:\notto/)
  })

  test('npm access shows and changes who may see and write a package', async () => {
    assert.equal(await said('access', 'get', 'status', name), `${name}: public`)
    assert.equal(await said('access', 'set', 'status=private', name), `${name}: private`)
    passes(await npm('access', 'grant', 'read-only', '@orgnpm:core', name))
    assert.equal(await said('access', 'list', 'packages', '@orgnpm:core'), `${name}: read-only`)
    assert.equal(await said('access', 'list', 'packages', 'orgnpm'), `${name}: read-write`)
    assert.match(await said('access', 'list', 'collaborators', name), /olga: read-write/)
    passes(await npm('access', 'revoke', '@orgnpm:core', name))
    assert.equal(await said('access', 'list', 'packages', '@orgnpm:core'), '')
    assert.equal(await said('access', 'set', 'status=public', name), `${name}: public`)
    passes(await npm('access', 'set', 'mfa=none', name))
  })

  test('npm team takes members out, and destroys a team', async () => {
    assert.match(await said('team', 'rm', '@orgnpm:core', 'otto'), /otto removed from @orgnpm:core/)
    assert.equal(await said('team', 'destroy', '@orgnpm:core'), '-@orgnpm:core')
    fails(await npm('team', 'ls', '@orgnpm:core'), /There is no team/)
  })

  test('npm publish into a scope of an organisation is for its members', async () => {
    const token = await registry.token('outsider')
    await desk.configure(token)
    await desk.folder('intruder', { name: '@orgnpm/intruder', version: '1.0.0', license: 'MIT' })
    fails(await desk.run('intruder', ['publish']), /E403 .*You may not make the name @orgnpm\/intruder/)
  })
}
