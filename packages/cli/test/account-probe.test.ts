// SPDX-License-Identifier: Apache-2.0
/** The probes of accounts, each against instances that break one property. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { throttling } from '../src/assess/probe/authn-1-bruteforce.ts'
import { provenEmail } from '../src/assess/probe/authn-1-email.ts'
import { notices } from '../src/assess/probe/authn-1-notify.ts'
import { recovery } from '../src/assess/probe/authn-1-recovery.ts'
import { authenticator } from '../src/assess/probe/authn-1-totp.ts'
import { abandonedDomains } from '../src/assess/probe/authn-2-domains.ts'
import { leakedPasswords } from '../src/assess/probe/authn-2-leaked.ts'
import type { Probe, ProbeInstance, Settings } from '../src/assess/probe.ts'
import { type Answer, type Asked, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance
before(async () => {
  real = await startInstance()
})
after(() => real.stop())

/** What is broken of an instance: its answers, its settings, or what the operator's command does. */
interface Break {
  readonly tamper?: Tamper
  readonly settings?: (wanted: Settings) => Settings
  readonly operate?: (real: ProbeInstance, args: readonly string[]) => Promise<string>
}

const honest: Tamper = (_, answer) => answer

async function assertCaught(probe: Probe, why: RegExp, broken: Break): Promise<void> {
  const { tamper = honest, settings = wanted => wanted } = broken
  const twins: { close(): void }[] = []
  const wrap = async (instance: ProbeInstance): Promise<ProbeInstance> => {
    const twin = await startTwin(instance.url, tamper)
    twins.push(twin)
    return {
      url: twin.url,
      operate: (...args) => broken.operate?.(instance, args) ?? instance.operate(...args),
      startOther: async wanted => wrap(await real.startOther(settings(wanted))),
    }
  }
  try {
    await assert.rejects(probe.run(await wrap(real)), why)
  } finally {
    for (const twin of twins) twin.close()
  }
}

const isLogin = ({ method, path }: Asked) => method === 'PUT' && path.includes('/-/user/')
const led: Answer = { status: 303, type: 'text/plain', body: Buffer.alloc(0) }
const signedIn: Answer = {
  status: 201,
  type: 'application/json',
  body: Buffer.from('{"ok":true,"token":"t"}'),
}

describe('the probes of accounts notice', { concurrency: 2 }, () => {
  test('an instance where an unproven address is enough to publish', () =>
    assertCaught(provenEmail, /publishing must be refused before/, {
      tamper: ({ method, path }, answer) =>
        method === 'PUT' && path.startsWith('/npm/probe-') && answer.status === 403 ? signedIn : answer,
    }))

  test('an instance that takes a code of an authenticator twice', () => {
    let taken = 0
    return assertCaught(authenticator, /a used code must be refused/, {
      tamper: (asked, answer) => {
        if (isLogin(asked) && answer.status === 201) taken += 1
        return isLogin(asked) && taken > 0 && answer.status === 401 ? signedIn : answer
      },
    })
  })

  test('an instance that goes on evaluating guesses', () =>
    assertCaught(throttling, /at most 10 may be looked at/, {
      tamper: (asked, answer) =>
        isLogin(asked) && answer.status === 429 ? { ...answer, status: 401 } : answer,
    }))

  test('an instance that sends no letters', () =>
    assertCaught(notices, /a letter about/, {
      settings: ({ HOLDFAST_SMTP: _, ...rest }) => rest,
    }))

  test('an instance where a recovery does not wait', () =>
    assertCaught(recovery, /finishing before the wait/, {
      tamper: ({ method, path }, answer) =>
        method === 'POST' && path.startsWith('/recovery/') && answer.status === 403 ? led : answer,
    }))

  test('an instance where one of the staff is enough', () =>
    assertCaught(recovery, /whoever proposed it must not agree/, {
      tamper: ({ method, path }, answer) =>
        method === 'POST' && path === '/operate/recovery' && answer.status === 403 ? led : answer,
    }))

  test('an instance that asks no range service', () =>
    assertCaught(leakedPasswords, /must refuse a password the service knows/, {
      settings: ({ HOLDFAST_LEAKED_PASSWORDS: _, ...rest }) => rest,
    }))

  test('an instance that goes on with a leaked password', () =>
    assertCaught(leakedPasswords, /must lead to changing it/, {
      tamper: ({ method }, answer) =>
        method === 'GET' && answer.status === 303 ? { ...answer, status: 200 } : answer,
    }))

  test('an instance that recovers accounts by addresses of abandoned domains', () =>
    assertCaught(abandonedDomains, /must be closed/, {
      operate: async (instance, args) =>
        args[0] === 'check-domains' ? 'lapsed.example 1\nresold.example 1' : instance.operate(...args),
    }))
})
