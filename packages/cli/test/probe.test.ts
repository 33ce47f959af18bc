// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { tokenPrefix } from '../src/assess/probe/authz-1-prefix.ts'
import { scopedKeys } from '../src/assess/probe/authz-1-scoped-keys.ts'
import { leakedTokens } from '../src/assess/probe/authz-3-scanning.ts'
import { oneGate } from '../src/assess/probe/beyond-one-gate.ts'
import { unpublish } from '../src/assess/probe/general-2-unpublish.ts'
import type { Probe, ProbeInstance, Settings } from '../src/assess/probe.ts'
import { type Answer, type Asked, accepted, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance().then(hostAll)
})
after(() => real.stop())

/** Runs a probe against the real instance behind a twin that breaks one property, and wants to see it fail for that. */
async function assertCaught(probe: Probe, why: RegExp, tamper: Tamper, operate?: ProbeInstance['operate']) {
  const twins = [await startTwin(real.url, tamper)]
  const startOther = async (settings: Settings) => {
    const other = await openOther(settings)
    const twin = await startTwin(other.url, tamper)
    twins.push(twin)
    return { ...other, operate: sparing(other), url: twin.url }
  }
  try {
    const instance = { url: twins[0]?.url ?? '', operate: operate ?? sparing(real), startOther }
    await assert.rejects(probe.run(instance), why)
  } finally {
    for (const twin of twins) twin.close()
  }
}

const others = new Map<string, Promise<ProbedInstance>>()

/** The real instance with these settings, one for all twins: probes make names of their own. */
function openOther(settings: Settings): Promise<ProbedInstance> {
  const key = JSON.stringify(settings)
  const known = others.get(key) ?? real.startOther(settings).then(hostAll)
  others.set(key, known)
  return known
}

async function hostAll(instance: ProbedInstance): Promise<ProbedInstance> {
  await instance.operate('host', '*')
  return instance
}

/** All names are hosted already, which spares each twin the start of a process. */
function sparing(instance: ProbedInstance): ProbeInstance['operate'] {
  return async (...args) => (args[0] === 'host' ? '' : instance.operate(...args))
}

const honest: Tamper = (_, answer) => answer
const isRefused = ({ status }: Answer) => status >= 400 && status < 500
const isPublish = ({ method, path }: Asked) => method === 'PUT' && !path.includes('/-rev/')
const isTakeBack = ({ method, path }: Asked) => ['PUT', 'DELETE'].includes(method) && path.includes('/-rev/')

describe('the probe of token prefixes notices', { concurrency: 3 }, () => {
  test('a token without a right checksum', async () => {
    const operate = async (...args: string[]) => {
      const printed = (await sparing(real)(...args)).trim()
      return args[0] === 'token' ? `${printed.slice(0, -1)}${printed.endsWith('0') ? '1' : '0'}` : printed
    }
    await assertCaught(tokenPrefix, /must be the checksum/, honest, operate)
  })

  test('a token without the prefix', async () => {
    const operate = async (...args: string[]) => (await sparing(real)(...args)).replace('holdfast_', 'npm_')
    await assertCaught(tokenPrefix, /must have the form/, honest, operate)
  })

  test('a rule for scanners that finds nothing', async () => {
    await assertCaught(tokenPrefix, /gitlab\.toml must find a token/, (asked, answer) =>
      asked.path.endsWith('/gitlab.toml') ? { ...answer, body: Buffer.from('nothing') } : answer,
    )
  })

  test('an instance that takes a changed token', async () => {
    const anybody = { ...accepted, status: 200 }
    await assertCaught(tokenPrefix, /changed token must be refused/, (_, answer) =>
      answer.status === 401 ? anybody : answer,
    )
  })
})

describe('the probe of leaked tokens notices an instance', { concurrency: 3 }, () => {
  const isDead = ({ path }: Asked, { status }: Answer) => path.endsWith('/whoami') && status === 401
  const alive: Answer = { ...accepted, status: 200 }
  test('where a token that was handed in works on', async () => {
    await assertCaught(leakedTokens, /handed in must be dead/, (asked, answer) =>
      isDead(asked, answer) ? alive : answer,
    )
  })

  test('that tells which tokens are real', async () => {
    let posted = 0
    await assertCaught(leakedTokens, /answered the same/, (asked, answer) => {
      if (!asked.path.endsWith('/tokens/revoke')) return answer
      posted += 1
      return { ...answer, body: Buffer.from(`{"received":${posted}}`) }
    })
  })

  test('that takes reports from anybody', async () => {
    await assertCaught(leakedTokens, /must want an account/, (asked, answer) =>
      asked.path.endsWith('/leaks') && isRefused(answer) ? { ...accepted, status: 200 } : answer,
    )
  })

  test('that lets a package with a token in', async () => {
    await assertCaught(leakedTokens, /refused by the name of the file/, (asked, answer) =>
      isPublish(asked) && isRefused(answer) ? accepted : answer,
    )
  })

  test('that refuses the package and lets the token live', async () => {
    let isPublished = false
    await assertCaught(leakedTokens, /in a package must be dead/, (asked, answer) => {
      isPublished ||= asked.body.includes('_attachments')
      return isPublished && isDead(asked, answer) ? alive : answer
    })
  })

  test('that tells nobody', async () => {
    await assertCaught(leakedTokens, /must be told/, (asked, answer) =>
      asked.path.endsWith('/operate/mail') ? { ...answer, body: Buffer.from('nothing') } : answer,
    )
  })

  test('that takes a report whoever signed it', async () => {
    const labels = Buffer.from('[{"label":"true_positive"},{"label":"false_positive"}]')
    await assertCaught(leakedTokens, /signed by somebody else must be refused/, (asked, answer) =>
      asked.path.endsWith('/github') && isRefused(answer) ? { ...alive, body: labels } : answer,
    )
  })
})

/** What an instance forgets to check a token for, each with the requests that belong to it and the probe's words. */
const unchecked: readonly (readonly [RegExp, (asked: Asked) => boolean])[] = [
  [/publishing must be refused/, ({ method, body }) => method === 'PUT' && body.includes('_attachments')],
  [/deprecating must be refused/, ({ method, body }) => method === 'PUT' && body.includes('by a probe')],
  [
    /setting a tag must be refused/,
    ({ method, path }) => method === 'PUT' && path.endsWith('/dist-tags/probe'),
  ],
  [
    /removing a tag must be refused/,
    ({ method, path }) => method === 'DELETE' && path.includes('/dist-tags/'),
  ],
  [/adding an owner as npm does must be/, asked => isTakeBack(asked) && asked.body.includes('probe.example')],
  [/removing an owner must be refused/, ({ path }) => path.includes('/owners/probe-')],
  [/adding an owner as pnpm does must be/, ({ path }) => path.endsWith('/owners')],
  [/changing who may read must be refused/, ({ path }) => path.endsWith('/access')],
  [/taking back a version must be refused/, asked => isTakeBack(asked) && asked.body.includes('"versions"')],
  [
    /taking back a package must be refused/,
    ({ method, path }) => method === 'DELETE' && path.includes('/-rev/'),
  ],
  [/making another token must be refused/, ({ path }) => path.endsWith('/-/npm/v1/tokens')],
  [/changing the password must be refused/, ({ path }) => path.endsWith('/-/npm/v1/user')],
  [/the tarball must hide/, ({ path }) => path.endsWith('.tgz')],
  [/the version must hide/, ({ path }) => path.endsWith('/1.0.0')],
  [/the list of collaborators must hide/, ({ path }) => path.endsWith('/collaborators')],
  [/an expired token must be nobody/, ({ path }) => path.endsWith('/whoami')],
]

describe('the probe of limited tokens notices an instance that does not look at the limits:', {
  concurrency: 3,
}, () => {
  for (const [why, isOn] of unchecked) {
    test(why.source, async () => {
      const done = { ...accepted, status: 200 }
      await assertCaught(scopedKeys, why, (asked, answer) =>
        isOn(asked) && isRefused(answer) ? done : answer,
      )
    })
  }

  test('it says no and does it all the same', async () => {
    let owner = ''
    const tamper: Tamper = async (asked, answer) => {
      if (!asked.body.includes('_attachments')) return answer
      if (answer.status < 300) owner ||= asked.authorization
      else
        await fetch(asked.target + asked.path, {
          method: 'PUT',
          headers: { authorization: owner },
          body: asked.body.toString(),
        })
      return answer
    }
    await assertCaught(scopedKeys, /must not have happened/, tamper)
  })
})

describe('the probe of unpublishing notices', { concurrency: 3 }, () => {
  test('an instance that replaces a version', async () => {
    const tamper: Tamper = (asked, answer) => (isPublish(asked) && isRefused(answer) ? accepted : answer)
    await assertCaught(unpublish, /must not be replaced/, tamper)
  })

  test('an instance where both of two racing publishes win', async () => {
    let refusals = 0
    const tamper: Tamper = (asked, answer) => {
      if (isPublish(asked) && isRefused(answer)) refusals += 1
      return isPublish(asked) && refusals > 1 ? accepted : answer
    }
    await assertCaught(unpublish, /exactly one must win/, tamper)
  })

  test('an instance where anybody with a token takes versions back', async () => {
    const tamper: Tamper = (asked, answer) => (isTakeBack(asked) && isRefused(answer) ? accepted : answer)
    await assertCaught(unpublish, /who does not own/, tamper)
  })

  test('an instance that takes back what others depend on', async () => {
    const tamper: Tamper = (asked, answer) =>
      asked.method === 'DELETE' && isRefused(answer) ? accepted : answer
    await assertCaught(unpublish, /another depends on/, tamper)
  })

  test('an instance that still serves the bytes of a version taken back', async () => {
    const tamper: Tamper = (_, answer) => (answer.status === 410 ? { ...answer, status: 200 } : answer)
    await assertCaught(unpublish, /must answer 410/, tamper)
  })

  test('an instance that forgets a version as if it had never been', async () => {
    const tamper: Tamper = (_, answer) => (answer.status === 410 ? { ...answer, status: 404 } : answer)
    await assertCaught(unpublish, /must answer 410/, tamper)
  })

  test('an instance that takes back old versions that many fetch', async () => {
    const tamper: Tamper = (asked, answer) => (/fetched\/-rev/.test(asked.path) ? accepted : answer)
    await assertCaught(unpublish, /that many fetched/, tamper)
  })

  test('an instance where one of two owners takes old versions back alone', async () => {
    const tamper: Tamper = (asked, answer) => (/shared\/-rev/.test(asked.path) ? accepted : answer)
    await assertCaught(unpublish, /with two owners/, tamper)
  })

  test('an instance where the number of a version taken back is used again', async () => {
    let isTakenBack = false
    const tamper: Tamper = (asked, answer) => {
      if (isTakeBack(asked) && answer.status < 300) isTakenBack = true
      return isTakenBack && isPublish(asked) && isRefused(answer) ? accepted : answer
    }
    await assertCaught(unpublish, /refused for ever/, tamper)
  })
})

/** Paths of the gate, each with the requests that belong to it and the probe's words for it. */
const gatePaths: readonly (readonly [RegExp, (asked: Asked) => boolean])[] = [
  [
    /the full packument must hide/,
    ({ path, accept }) => /gated$/.test(path) && accept === 'application/json',
  ],
  [/the abbreviated packument must hide/, ({ accept }) => accept.includes('install-v1')],
  [/the packument for writing must hide/, ({ path }) => path.endsWith('?write=true')],
  [/the list of tags must hide/, ({ path }) => path.endsWith('/dist-tags')],
  [/the version endpoint must hide/, ({ path }) => path.endsWith('/1.0.1')],
  [/the tag latest must hide/, ({ path }) => path.endsWith('/latest')],
  [/the tarballs must hide/, ({ path }) => path.endsWith('-1.0.1.tgz')],
  [/search must hide/, ({ path }) => path.includes('/-/v1/search')],
]

describe('the probe of the gate notices a path that goes on as before the quarantine:', {
  concurrency: true,
}, () => {
  for (const [why, isOn] of gatePaths) {
    test(why.source.replace(' must hide', ''), () => assertStaleIsCaught(why, isOn))
  }

  test('a tag in the packument that still points at the quarantined version', async () => {
    const tamper: Tamper = (asked, answer) => {
      if (!/gated$/.test(asked.path) || asked.accept !== 'application/json' || asked.method !== 'GET')
        return answer
      const document = JSON.parse(answer.body.toString())
      const body = JSON.stringify({ ...document, 'dist-tags': { latest: '1.0.1' } })
      return { ...answer, body: Buffer.from(body) }
    }
    await assertCaught(oneGate, /the tags in the packument must hide/, tamper)
  })
})

async function assertStaleIsCaught(why: RegExp, isOn: (asked: Asked) => boolean): Promise<void> {
  const before = new Map<string, Answer>()
  let isQuarantined = false
  const operate = async (...args: string[]) => {
    isQuarantined ||= args[0] === 'quarantine'
    return sparing(real)(...args)
  }
  const tamper: Tamper = (asked, answer) => {
    if (asked.method !== 'GET' || !isOn(asked)) return answer
    const key = `${asked.path} ${asked.accept}`
    if (!isQuarantined) before.set(key, answer)
    return before.get(key) ?? answer
  }
  await assertCaught(oneGate, why, tamper, operate)
}
