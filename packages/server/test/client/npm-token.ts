// SPDX-License-Identifier: Apache-2.0
/** `npm token create`, `list` and `revoke` with every option that npm 11 has. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Desk, openDesk, type Run } from './client.ts'
import { fails, passes } from './expect.ts'
import { enableTfa, makePerson, type Person, signInAs } from './person.ts'
import type { Registry } from './registry.ts'

/** A token as `npm token list --json` shows it. */
interface Listed {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly description: string
  readonly token: string
  readonly readonly: boolean
  readonly cidr_whitelist: readonly string[] | null
  readonly bypass_2fa: boolean
  readonly expires: string
  readonly packages?: readonly string[]
  readonly orgs?: readonly string[]
}

const dayMs = 24 * 3600_000

export function npmTokenStory(registry: Registry): void {
  let desk: Desk
  let tess: Person
  const npm = (...args: string[]): Promise<Run> => desk.run('.', ['token', ...args])
  const create = (...more: string[]) => npm('create', `--password=${tess.password}`, ...more)
  const writes = ['--packages-and-scopes-permission=read-write']

  /** Makes a token and gives its secret. */
  const make = async (...more: string[]): Promise<string> =>
    /Created token (\S+)/.exec(passes(await create(...more)).stdout)?.[1] ?? ''

  const list = async (): Promise<Listed[]> => JSON.parse(passes(await npm('list', '--json')).stdout)

  /** The one in the list that begins like this secret. */
  const listed = async (secret: string): Promise<Listed> => {
    const found = (await list()).find(each => secret.startsWith(each.token))
    assert.ok(found !== undefined, `${secret.slice(0, 22)} is not listed`)
    return found
  }

  const whoami = async (token: string) => (await registry.call('/-/whoami', { token })).status

  /** What publishing a small package with this token answers. */
  const publish = (name: string, token: string) =>
    registry.publish({ name, version: '1.0.0' }, token).then(
      () => 'published',
      (error: Error) => error.message,
    )

  before(async () => {
    tess = await makePerson(registry, 'tess')
    await tess.createOrg('tess-org')
    desk = await openDesk('npm', registry.npm, await signInAs(registry, tess))
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
  })
  after(() => desk?.remove())

  test('--name and --token-description are kept and listed; without rights it only reads, for 30 days', async () => {
    const secret = await make('--name=nightly', '--token-description=for the nightly build')
    const { name, description, readonly, expires } = await listed(secret)
    assert.deepEqual([name, description, readonly], ['nightly', 'for the nightly build', true])
    assert.equal(Math.round((Date.parse(expires) - Date.now()) / dayMs), 30)
    assert.match(await publish('tess-nightly', secret), /may only read/)
  })

  test('--expires sets the days; what may write is refused beyond 90, in words that npm prints', async () => {
    const secret = await make('--name=short', '--expires=7')
    assert.equal(Math.round((Date.parse((await listed(secret)).expires) - Date.now()) / dayMs), 7)
    const long = await create('--name=long', '--expires=91', '--packages-all', ...writes)
    fails(long, /E400.*may write lives at most 90 days, not 91 days\. Ask for less/)
  })

  test('--packages and --scopes say what it may write to, and nothing else is', async () => {
    const secret = await make('--name=some', '--packages=tess-left', '--scopes=@tess', ...writes)
    assert.deepEqual((await listed(secret)).packages, ['tess-left', '@tess/*'])
    assert.equal(await publish('tess-left', secret), 'published')
    assert.equal(await publish('@tess/saw', secret), 'published')
    assert.notEqual(await publish('tess-right', secret), 'published')
  })

  test('--packages-all writes to everything; read-write alone does not say to what', async () => {
    const secret = await make('--name=all', '--packages-all', ...writes)
    assert.equal(await publish('tess-anything', secret), 'published')
    fails(await create('--name=none', ...writes), /E400.*--packages, --scopes or --packages-all/)
  })

  test('--packages-and-scopes-permission: read-only reads, no-access does not even that with private ones, read-write-stage-only publishes nothing', async () => {
    const reads = await make('--name=r', '--packages-all', '--packages-and-scopes-permission=read-only')
    assert.match(await publish('tess-read', reads), /may only read/)
    const none = await make('--name=n', '--packages-and-scopes-permission=no-access')
    await registry.publish(
      { name: 'tess-private', version: '1.0.0', access: 'restricted' },
      await make('--name=w', '--packages-all', ...writes),
    )
    assert.equal((await registry.call('/tess-private', { token: reads })).status, 200)
    assert.equal((await registry.call('/tess-private', { token: none })).status, 404)
    const staged = ['--packages-all', '--packages-and-scopes-permission=read-write-stage-only']
    assert.match(await publish('tess-staged', await make('--name=s', ...staged)), /You may not make the name/)
    assert.match(
      await publish('tess-private', await make('--name=t', ...staged)),
      /forbidden|may not publish/,
    )
  })

  test('--orgs with --orgs-permission=read-write manages that organisation, and writes no package', async () => {
    const secret = await make('--name=o', '--orgs=tess-org', '--orgs-permission=read-write')
    assert.deepEqual((await listed(secret)).orgs, ['tess-org'])
    const team = { method: 'PUT', token: secret, body: { name: 'builders' } }
    assert.equal((await registry.call('/-/org/tess-org/team', team)).status, 201)
    assert.notEqual(await publish('@tess-org/tool', secret), 'published')
  })

  test('--cidr ties it to networks; IPv6 and nonsense are refused', async () => {
    const here = await make('--name=h', '--cidr=127.0.0.0/8,10.0.0.0/8')
    assert.deepEqual((await listed(here)).cidr_whitelist, ['127.0.0.0/8', '10.0.0.0/8'])
    assert.equal(await whoami(here), 200)
    assert.equal(await whoami(await make('--name=e', '--cidr=192.0.2.0/24')), 401)
    fails(await create('--name=x', '--cidr=nonsense'), /invalid CIDR/)
    fails(await create('--name=x', '--cidr=2001:db8::/32'), /only contain IPv4/)
  })

  test('--read-only is lost on npm’s way, so what does not say read-write may only read', async () => {
    assert.ok((await listed(await make('--name=ro', '--read-only'))).readonly)
  })

  test('a wrong --password makes none', async () => {
    fails(
      await npm('create', '--name=x', '--password=not my password at all'),
      /User name or password is wrong/,
    )
  })

  test('list in lines, for programs and for people, never shows a secret', async () => {
    const secret = await make('--name=seen')
    const { key, token } = await listed(secret)
    const lines = passes(await npm('list', '--parseable')).stdout
    assert.match(lines, /^key\ttoken\tid\tname\tcreated\treadonly\tCIDR whitelist\n/)
    assert.ok(lines.includes(`${key}\t${token}\t`))
    const words = passes(await npm('list')).stdout
    assert.match(words, /Token holdfast_\S+… with id \S+ name seen created \d{4}-/)
    for (const text of [lines, words]) assert.ok(!text.includes(secret))
  })

  test('revoke takes the beginning of a key, several at once, and the secret itself', async () => {
    const [one, two, three] = [await make('--name=1'), await make('--name=2'), await make('--name=3')]
    const { id } = await listed(one)
    const { key } = await listed(two)
    assert.match(passes(await npm('revoke', id, key)).stdout, /Removed 2 tokens/)
    assert.match(passes(await npm('revoke', three)).stdout, /Removed 1 token\b/)
    for (const each of [one, two, three]) assert.equal(await whoami(each), 401)
    fails(await npm('revoke', 'ffffffffffffffff'), /Unknown token id or value/)
    fails(await npm('revoke', 't_'), /ambiguous/)
  })

  test('npm publish of a package with a token in it says in which file, and the token is dead', async () => {
    const secret = await make('--name=leaks')
    const manifest = { name: 'tess-leaky', version: '1.0.0', license: 'MIT' }
    await desk.folder('leaky', manifest, { 'conf/ci.env': `NPM_TOKEN=${secret}\n` })
    const run = await desk.run('leaky', ['publish'])
    fails(run, /E400.*tess-leaky@1\.0\.0 \(conf\/ci\.env\) and must not become public; it is revoked now/)
    assert.equal(await whoami(secret), 401)
    assert.equal((await registry.call('/tess-leaky')).status, 404)
  })

  test('--otp and --bypass-2fa: with a second factor making a token asks for it, and one may be made that publishes without', async () => {
    const token = await signInAs(registry, tess)
    const codes = await enableTfa(registry, tess, token)
    await desk.configure(token)
    const wish = ['--name=b', '--packages-all', '--bypass-2fa', ...writes]
    fails(await create(...wish), /EOTP|one-time pass/i)
    const secret = await make(...wish, `--otp=${codes.pop()}`)
    assert.ok((await listed(secret)).bypass_2fa)
    assert.equal(await publish('tess-by-machine', secret), 'published')
    const bound = await make('--name=nb', '--packages-all', ...writes, `--otp=${codes.pop()}`)
    assert.match(await publish('tess-by-hand', bound), /one-time password/)
  })
}
