// SPDX-License-Identifier: Apache-2.0
/** Signing in and out, the profile, tokens and the second factor with npm. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Desk, noTerminal, openDesk, type Run, type RunOptions } from './client.ts'
import { fails, passes } from './expect.ts'
import { authenticator, makePerson, type Person } from './person.ts'
import { type Registry, readText } from './registry.ts'

/** Answers each prompt once, when it shows. */
export function typing(...answers: readonly (readonly [prompt: RegExp, answer: string])[]): RunOptions {
  const left = new Set(answers)
  return {
    onOutput(text, write) {
      for (const each of left) {
        if (!each[0].test(text)) continue
        left.delete(each)
        write(`${each[1]}\n`)
      }
    },
  }
}

/** Opens the page that the client names, and decides there; `otp` is the browser's own second factor. */
export function browsing(person: Person, decision: 'grant' | 'deny', otp?: () => string): RunOptions {
  let page: string | undefined
  return {
    onOutput(text) {
      const found = /https?:\S+\/login\/cli\/\w{20,}/.exec(text)?.[0]
      if (found === undefined || found === page) return
      page = found
      void person.decide(found, decision, otp?.())
    },
  }
}

export function npmAccountStory(registry: Registry): void {
  let desk: Desk
  let anna: Person
  let nextCode = () => ''
  let recovery: string[] = []
  const npm = (args: readonly string[], options?: RunOptions): Promise<Run> => desk.run('.', args, options)
  const said = async (...args: string[]) => passes(await npm(args)).stdout.trim()
  const tokenOf = async () => /_authToken=(\S+)/.exec(await readText(desk.home, '.npmrc'))?.[1] ?? ''

  before(async () => {
    anna = await makePerson(registry, 'anna')
    desk = await openDesk('npm', registry.npm)
    await desk.folder('.', { name: 'here', version: '1.0.0', private: true })
  })
  after(() => desk?.remove())

  test('npm whoami says that it needs a login', async () => {
    fails(await npm(['whoami']), /ENEEDAUTH/)
  })

  test('npm login by password: a wrong one is refused, the right one gives a token', async () => {
    const login = ['login', '--auth-type=legacy']
    const wrong = typing([/Username:/, 'anna'], [/Password:/, 'not my password at all'])
    fails(
      await npm(login, wrong),
      /User name or password is wrong\. Check both.*Incorrect or missing password/,
    )
    passes(await npm(login, typing([/Username:/, 'anna'], [/Password:/, anna.password])))
    assert.equal(await said('whoami'), 'anna')
  })

  test('npm logout ends the token at the registry too', async () => {
    const token = await tokenOf()
    passes(await npm(['logout']))
    assert.equal((await registry.call('/-/whoami', { token })).status, 401)
    fails(await npm(['whoami']), /ENEEDAUTH/)
  })

  test('npm login by the browser gets its token once somebody agrees', async () => {
    passes(await npm(['login'], browsing(anna, 'grant')))
    assert.equal(await said('whoami'), 'anna')
  })

  test('npm login works while an old token lies in the configuration', async () => {
    await desk.configure(`holdfast_00000000_${'x'.repeat(38)}`)
    passes(await npm(['login'], browsing(anna, 'grant')))
    assert.equal(await said('whoami'), 'anna')
  })

  test('npm profile shows and changes what the account says of itself', async () => {
    assert.match(
      await said('profile', 'get'),
      /name: anna\nemail: anna@people\.example \(verified\)\ntwo-factor auth: disabled/,
    )
    passes(await npm(['profile', 'set', 'fullname', 'Anna A']))
    assert.equal(await said('profile', 'get', 'fullname'), 'Anna A')
  })

  test('npm token creates, lists and revokes', async () => {
    const create = [
      'token',
      'create',
      '--name=ci',
      '--packages-all',
      '--packages-and-scopes-permission=read-only',
    ]
    const secret = /Created token (\S+)/.exec(
      passes(await npm(create, typing([/password:/, anna.password]))).stdout,
    )?.[1]
    const [made] = JSON.parse(await said('token', 'list', '--json')) as {
      name: string
      key: string
      token: string
    }[]
    assert.equal(made?.name, 'ci')
    assert.ok(secret?.startsWith(made?.token ?? '?') && secret !== made?.token)
    assert.equal((await registry.call('/-/whoami', { token: secret ?? '' })).status, 200)
    passes(await npm(['token', 'revoke', made?.key ?? '']))
    assert.equal((await registry.call('/-/whoami', { token: secret ?? '' })).status, 401)
  })

  test('npm adduser by password makes an account where the operator allows it', async () => {
    const answers = typing(
      [/Username:/, 'newcomer'],
      [/Password:/, 'correct horse battery staple 9'],
      [/Email.*:/, 'newcomer@people.example'],
    )
    await desk.configure(undefined)
    passes(await npm(['adduser', '--auth-type=legacy'], answers))
    assert.equal(await said('whoami'), 'newcomer')
    await desk.folder('early', { name: 'npm-early', version: '1.0.0', license: 'MIT' })
    // Until the address is proven the account can do nothing for others.
    fails(await desk.run('early', ['publish']), /E403 .*e-mail address is not verified/)
  })

  test('npm profile enable-2fa, and from then on writes ask for the second factor', async () => {
    await desk.configure(undefined)
    passes(
      await npm(['login', '--auth-type=legacy'], typing([/Username:/, 'anna'], [/Password:/, anna.password])),
    )
    const enabled = passes(await npm(['profile', 'enable-2fa', 'auth-and-writes'], enrolling(anna)))
    recovery = enabled.text.match(/^\s+(\S{10,})$/gm)?.map(code => code.trim()) ?? []
    assert.ok(recovery.length > 4, enabled.text)
    assert.match(await said('profile', 'get'), /two-factor auth: auth-and-writes/)
    await desk.folder('guarded', { name: 'npm-guarded', version: '1.0.0', license: 'MIT' })
    fails(await desk.run('guarded', ['publish']), /EOTP .*Open this URL in your browser/)
  })

  test('npm publish takes the digits of an authenticator, each of them once', async () => {
    const code = nextCode()
    passes(await desk.run('guarded', ['publish', `--otp=${code}`]))
    fails(await npm(['dist-tag', 'add', 'npm-guarded@1.0.0', 'old', `--otp=${code}`]), /EOTP/)
  })

  test('npm in a terminal opens a page, and goes on when somebody approves there', {
    skip: noTerminal,
  }, async () => {
    const add = ['dist-tag', 'add', 'npm-guarded@1.0.0', 'old']
    passes(await npm(add, { terminal: true, ...browsing(anna, 'grant', () => recovery.pop() ?? '') }))
    const remove = ['dist-tag', 'rm', 'npm-guarded', 'old']
    passes(await npm(remove, { terminal: true, ...browsing(anna, 'grant', () => recovery.pop() ?? '') }))
    assert.equal(await said('dist-tag', 'ls', 'npm-guarded'), 'latest: 1.0.0')
  })

  /** Types the password, reads the secret from the screen, and types the first code. */
  function enrolling({ password }: Person): RunOptions {
    const prompts = typing([/[Pp]assword:/, password])
    let done = false
    return {
      onOutput(text, write) {
        prompts.onOutput?.(text, write)
        const secret = /code: ([A-Z2-7]{20,})/.exec(text)?.[1]
        if (done || secret === undefined || !/code.*authenticator/is.test(text)) return
        done = true
        nextCode = authenticator(secret)
        write(`${nextCode()}\n`)
      },
    }
  }

  test('npm is told what failed and nothing else when the token was revoked', async () => {
    const token = await tokenOf()
    await registry.call(`/-/user/token/${token}`, { method: 'DELETE', token })
    fails(await npm(['whoami']), /npm notice This token is not valid here.*E401/)
  })
}
