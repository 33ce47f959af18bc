// SPDX-License-Identifier: Apache-2.0
/** What everybody does with a registry, told once and checked with each client. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { commands, type Desk, type Kind, openDesk, type Run } from './client.ts'
import { fails, passes } from './expect.ts'
import { type Registry, readText } from './registry.ts'

/** Publishing, installing and updating with one client. */
export function installStory(kind: Kind, registry: Registry): void {
  const { install, frozen, add, update, publish, lockFile } = commands[kind]
  const [plain, scoped] = [`from-${kind}`, `@acme/from-${kind}`]
  let desk: Desk
  let token: string

  before(async () => {
    token = await registry.token(`${kind}-user`)
    desk = await openDesk(kind, registry.npm, token)
  })
  after(() => desk?.remove())

  test('publishes a plain and a scoped package as it packed them', async () => {
    for (const name of [plain, scoped]) {
      const folder = await desk.folder(`lib/${name}`, library(name, '1.0.0'), filesOfLibrary)
      if (kind === 'berry') passes(await desk.run(folder, install))
      passes(await desk.run(folder, publish))
      await assertPublished(registry, token, name, `${kind}-user`)
    }
  })

  test('is told that a version cannot be published twice', async () => {
    const folder = await desk.folder('again', library(plain, '1.0.0'), {
      ...filesOfLibrary,
      'index.js': '// other\n',
    })
    if (kind === 'berry') passes(await desk.run(folder, install))
    fails(await desk.run(folder, publish), publishedTwice[kind])
  })

  test('installs both, and its lock file names nothing but this registry', async () => {
    await desk.folder('app', app({ [plain]: '^1.0.0', [scoped]: '^1.0.0' }))
    passes(await desk.run('app', install))
    for (const name of [plain, scoped])
      assert.equal((await desk.installed('app', name))?.['version'], '1.0.0')
    const lock = await readText(desk.home, 'app', lockFile)
    for (const url of lock.matchAll(/https?:\/\/[^\s"']+/g))
      assert.ok(url[0].startsWith(registry.npm), url[0])
  })

  test('installs from its lock file alone with empty caches', async () => {
    await desk.forget('app')
    const before = (await registry.requests(plain)).length
    passes(await desk.run('app', frozen))
    for (const name of [plain, scoped])
      assert.equal((await desk.installed('app', name))?.['version'], '1.0.0')
    const asked = (await registry.requests(plain)).slice(before)
    assert.ok(asked.some(({ path }) => path.endsWith(`/from-${kind}-1.0.0.tgz`)))
    // Section 5: `npm ci` reads no packument, so that the gate must stand before tarballs too.
    if (kind === 'npm') assert.ok(asked.every(({ path }) => path.includes('/-/')))
  })

  test('takes a newer version when it is asked to update', async () => {
    await registry.publish({ name: plain, version: '1.1.0' }, token)
    passes(await desk.run('app', update(plain)))
    assert.equal((await desk.installed('app', plain))?.['version'], '1.1.0')
  })

  test('installs what a dist-tag names', async () => {
    await registry.publish({ name: plain, version: '2.0.0-beta.1', tag: 'next' }, token)
    await desk.folder('tagged', app())
    passes(await desk.run('tagged', add(`${plain}@next`)))
    assert.equal((await desk.installed('tagged', plain))?.['version'], '2.0.0-beta.1')
  })

  test('links programs, and leaves out optional dependencies of another platform', async () => {
    const [tool, elsewhere] = [`${kind}-tool`, `${kind}-elsewhere`]
    await registry.publish({ name: elsewhere, version: '1.0.0', manifest: { os: ['aix'] } }, token)
    const manifest = { bin: { [tool]: 'tool.js' }, optionalDependencies: { [elsewhere]: '1.0.0' } }
    const files = { 'tool.js': '#!/usr/bin/env node\nprocess.stdout.write("works")\n' }
    await registry.publish({ name: tool, version: '1.0.0', manifest, files }, token)
    await desk.folder('tooled', app({ [tool]: '1.0.0' }))
    passes(await desk.run('tooled', install))
    assert.ok((await readText(desk.home, 'tooled/node_modules/.bin', tool)).length > 0)
    assert.equal(await desk.installed('tooled', elsewhere), undefined)
  })
}

/** What a person sees where the registry says no, with one client. */
export function refusalStory(kind: Kind, registry: Registry): void {
  const { install, frozen, add } = commands[kind]
  const [bad, pulled, secret] = [`${kind}-bad`, `${kind}-pulled`, `${kind}-secret`]
  let desk: Desk
  let token: string

  before(async () => {
    token = await registry.token(`${kind}-owner`)
    desk = await openDesk(kind, registry.npm)
    for (const version of ['1.0.0', '1.1.0', '1.2.0'])
      for (const name of [bad, pulled]) await registry.publish({ name, version }, token)
    for (const name of [secret, `@private/${secret}`])
      await registry.publish({ name, version: '1.0.0', access: 'restricted' }, token)
    await desk.folder('locked', app({ [bad]: '1.2.0' }))
    await desk.folder('pinned', app({ [pulled]: '1.2.0' }))
    for (const folder of ['locked', 'pinned']) passes(await desk.run(folder, install))
    await registry.operate('quarantine', `${bad}@1.2.0`, '--reason', 'malware', '--words', 'steals tokens')
    await registry.operate('yank', `${pulled}@1.2.0`, '--reason', 'request', '--words', 'loses data')
    for (const name of [bad, pulled]) await registry.until(`/${name}`, isSettled)
  })
  after(() => desk?.remove())

  const tryAdding = async (spec: string): Promise<Run> => {
    const folder = await desk.folder(`try/${spec.replace(/\W+/g, '-')}`, app())
    return desk.run(folder, add(spec))
  }

  test('gets the newest good version where a range reaches a quarantined one', async () => {
    passes(await tryAdding(`${bad}@^1.0.0`))
    assert.equal((await desk.installed(`try/${kind}-bad-1-0-0`, bad))?.['version'], '1.1.0')
  })

  test('is told about a quarantined version that it asks for', async () => {
    fails(await tryAdding(`${bad}@1.2.0`), blockedByName[kind])
  })

  test('gets no quarantined bytes through a lock file either', async () => {
    await desk.forget('locked')
    fails(await desk.run('locked', frozen), blockedByLock[kind])
    assert.equal(await desk.installed('locked', bad), undefined)
  })

  test('gets the newest version that was not yanked, and a yanked one only by its number', async () => {
    passes(await tryAdding(`${pulled}@^1.0.0`))
    assert.equal((await desk.installed(`try/${kind}-pulled-1-0-0`, pulled))?.['version'], '1.1.0')
    const exact = passes(await tryAdding(`${pulled}@1.2.0`))
    assert.equal((await desk.installed(`try/${kind}-pulled-1-2-0`, pulled))?.['version'], '1.2.0')
    assert.match(exact.text, yankedWarning[kind])
  })

  test('installs a yanked version from a lock file', async () => {
    await desk.forget('pinned')
    passes(await desk.run('pinned', frozen))
    assert.equal((await desk.installed('pinned', pulled))?.['version'], '1.2.0')
  })

  test('is told that a package or a version does not exist', async () => {
    fails(await tryAdding(`${kind}-nowhere`), missingPackage[kind])
    fails(await tryAdding(`${bad}@9.9.9`), missingVersion[kind])
  })

  test('is told that a locked version was removed', async () => {
    const name = `${kind}-lost`
    for (const version of ['1.0.0', '1.1.0']) await registry.publish({ name, version }, token)
    await desk.folder('lost', app({ [name]: '1.1.0' }))
    passes(await desk.run('lost', install))
    const { _rev } = (await (await registry.call(`/${name}`)).json()) as { _rev: string }
    const address = `/${name}/-/${name}-1.1.0.tgz/-rev/${_rev}`
    assert.equal((await registry.call(address, { method: 'DELETE', token })).status, 200)
    await desk.forget('lost')
    fails(await desk.run('lost', frozen), removed[kind])
  })

  test('is told to sign in for a restricted package, and gets it with a token', async () => {
    for (const name of [secret, `@private/${secret}`]) fails(await tryAdding(name), unauthorised[kind])
    if (alwaysAuth[kind] !== undefined) {
      // Section 1.4: left as they are, these send no token for a name without a scope.
      await desk.configure(token)
      fails(await tryAdding(secret), unauthorised[kind])
    }
    await desk.configure(token, alwaysAuth[kind])
    await desk.folder('private', app({ [secret]: '1.0.0', [`@private/${secret}`]: '1.0.0' }))
    passes(await desk.run('private', install))
    for (const name of [secret, `@private/${secret}`])
      assert.equal((await desk.installed('private', name))?.['version'], '1.0.0')
    await desk.forget('private')
    passes(await desk.run('private', frozen))
    await desk.configure(undefined)
  })

  test('is told that its token is no good', async () => {
    await desk.configure(`holdfast_00000000_${'x'.repeat(30)}`, alwaysAuth[kind])
    fails(await tryAdding(secret), badToken[kind])
    await desk.configure(undefined)
  })
}

/** What the operator did to 1.2.0 shows in the document. */
async function isSettled(answer: Response): Promise<boolean> {
  const { versions } = (await answer.json()) as { versions: Record<string, { deprecated?: string }> }
  return versions['1.2.0'] === undefined || versions['1.2.0'].deprecated !== undefined
}

const filesOfLibrary = { 'index.js': 'module.exports = 1\n', 'README.md': '# A library\n' }

function library(name: string, version: string): Record<string, unknown> {
  return { name, version, description: 'A library', license: 'MIT', main: 'index.js', files: ['index.js'] }
}

function app(dependencies: Readonly<Record<string, string>> = {}): Record<string, unknown> {
  return { name: 'app', version: '1.0.0', private: true, license: 'MIT', dependencies }
}

/** The packument and the bytes that a publish left behind. */
async function assertPublished(
  registry: Registry,
  token: string,
  name: string,
  login: string,
): Promise<void> {
  const answer = await registry.call(`/${name}`, { token })
  const document = await answer.json()
  const version = document.versions['1.0.0']
  const base = name.split('/').at(-1)
  assert.deepEqual(document['dist-tags'], { latest: '1.0.0' })
  assert.equal(document.readme, filesOfLibrary['README.md'])
  assert.equal(document.description, 'A library')
  assert.deepEqual(
    document.maintainers.map((each: { name: string }) => each.name),
    [login],
  )
  assert.equal(version._npmUser.name, login)
  assert.equal(version.dist.tarball, `${registry.npm}${name}/-/${base}-1.0.0.tgz`)
  assert.match(version.dist.integrity, /^sha512-/)
  assert.equal((await registry.call(`/${name}/-/${base}-1.0.0.tgz`, { token })).status, 200)
}

type Told = Record<Kind, RegExp>

const publishedTwice: Told = {
  npm: /You cannot publish over the previously published versions: 1\.0\.0/,
  pnpm: /You cannot publish over the previously published versions: 1\.0\.0/,
  yarn: /You cannot publish over the previously published versions: 1\.0\.0/,
  berry: /Response Code: 403 \(Forbidden\)/,
  bun: /You cannot publish over the previously published versions: 1\.0\.0/,
}

const blockedByName: Told = {
  npm: /due to policy violations: .*1\.2\.0 is quarantined: steals tokens/,
  pnpm: /No matching version found for pnpm-bad@1\.2\.0/,
  yarn: /Couldn't find any versions for "yarn-bad" that matches "1\.2\.0"/,
  berry: /berry-bad@npm:1\.2\.0: No candidates found/,
  bun: /No version matching "1\.2\.0" found for specifier "bun-bad"/,
}

const blockedByLock: Told = {
  npm: /npm-bad@1\.2\.0 is quarantined: steals tokens\. Do not use it; allowed instead: 1\.1\.0\. Why, and what to do: http:\S+\/why\/npm\/npm-bad\/1\.2\.0/,
  pnpm: /Tarball server returned HTTP 403 for/,
  yarn: /yarn-bad-1\.2\.0\.tgz: Request failed "403 Forbidden"/,
  berry:
    /Response Code: 403 \(berry-bad@1\.2\.0 is quarantined: steals tokens\. .*\/why\/npm\/berry-bad\/1\.2\.0/,
  bun: /bun-bad-1\.2\.0\.tgz - 403/,
}

const removed: Told = {
  npm: /E410 .*npm-lost@1\.1\.0 was removed and will not come back\. Use another version/,
  pnpm: /Tarball server returned HTTP 404 for/,
  yarn: /yarn-lost-1\.1\.0\.tgz: Request failed "410 Gone"/,
  berry: /Response Code: 410 \(berry-lost@1\.1\.0 was removed and will not come back\. Use another version/,
  bun: /bun-lost-1\.1\.0\.tgz - 410/,
}

const yankedWarning: Told = {
  npm: /npm warn deprecated npm-pulled@1\.2\.0: yanked: loses data/,
  pnpm: /\[WARN\] deprecated pnpm-pulled@1\.2\.0/,
  yarn: /warning yarn-pulled@1\.2\.0: yanked: loses data/,
  // Berry tells of deprecated packages in `yarn npm audit` only.
  berry: /Done/,
  bun: /warn: deprecated bun-pulled@1\.2\.0: yanked: loses data/,
}

const missingPackage: Told = {
  npm: /E404 .*There is no package 'npm-nowhere' here, or you may not read it\. Check the spelling/,
  pnpm: /Failed to resolve the latest version of pnpm-nowhere: .*404 Not Found/,
  yarn: /There is no package 'yarn-nowhere' here, or you may not read it\. Check the spelling/,
  berry: /Package not found .*Response Code: 404 \(Not Found\)/,
  bun: /bun-nowhere - 404/,
}

const missingVersion: Told = {
  npm: /No matching version found for npm-bad@9\.9\.9/,
  pnpm: /No matching version found for pnpm-bad@9\.9\.9/,
  yarn: /Couldn't find any versions for "yarn-bad" that matches "9\.9\.9"/,
  berry: /berry-bad@npm:9\.9\.9: No candidates found/,
  bun: /No version matching "9\.9\.9" found for specifier "bun-bad"/,
}

/** Whoever may not read it learns nothing about it, not even that it is there. */
const unauthorised: Told = {
  npm: /E404 .*There is no package '\S+' here, or you may not read it\. Check the spelling, and sign in/,
  pnpm: /404 Not Found/,
  yarn: /There is no package '\S+' here, or you may not read it\. Check the spelling, and sign in/,
  berry: /Package not found/,
  bun: /secret - 404/,
}

const badToken: Told = {
  npm: /npm notice This token is not valid here.*E401/,
  pnpm: /401 Unauthorized/,
  yarn: /This token is not valid here/,
  berry: /Invalid authentication/,
  bun: /secret - 401/,
}

/** What makes a client send its token for names without a scope too. */
const alwaysAuth: Partial<Record<Kind, Readonly<Record<string, string>>>> = {
  yarn: { 'always-auth': 'true' },
  berry: { npmAlwaysAuth: 'true' },
}
