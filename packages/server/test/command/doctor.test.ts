// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Digest } from '@holdfast/core'
import { ensureAccount, setInstanceRoles } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { readConfig } from '../../src/main.ts'
import { freshPath, holdfast, serve, withPorts } from './command-line.ts'
import { blobPath, flipByte, makeInstance } from './instance.ts'

interface Finding {
  readonly check: string
  readonly state: string
  readonly say: string
  readonly todo?: string
}

async function examine(
  data: string,
  ...words: string[]
): Promise<{ code: number | null; findings: Map<string, Finding> }> {
  // A registry of whoever runs this test may answer at the usual port.
  const nowhere = words.includes('--url') || words.includes('--config') ? [] : ['--url', 'http://127.0.0.1:1']
  const { code, out, err } = await holdfast('doctor', '--data', data, '--json', ...nowhere, ...words)
  assert.notEqual(out, '', err)
  const { findings }: { findings: Finding[] } = JSON.parse(out)
  return { code, findings: new Map(findings.map(finding => [finding.check, finding])) }
}

function statesOf(findings: ReadonlyMap<string, Finding>): Record<string, string> {
  return Object.fromEntries(
    [...findings].filter(([, { state }]) => state !== 'ok').map(([check, { state }]) => [check, state]),
  )
}

function tamper(data: string, sql: string): void {
  const database = new DatabaseSync(join(data, 'holdfast.db'))
  database.exec(sql)
  database.close()
}

test('a sound instance that runs has nothing to complain of', async () => {
  const { data } = await makeInstance()
  const server = await serve(data)
  const { code, findings } = await examine(data, '--url', server.url, '--deep')
  findings.delete('set-up-link') // the server writes one as soon as it listens
  findings.delete('responders') // nobody responds yet but the machine's owner
  assert.deepEqual(statesOf(findings), {})
  assert.equal(code, 0)
  assert.match(findings.get('public-url')?.say ?? '', /answers as this instance/)
  await server.stop()
})

test('with fewer than two responders it says so, and who is the second', async () => {
  const { data } = await makeInstance()
  const lookAt = async () => (await examine(data)).findings.get('responders')
  for (const [login, state, say] of [
    ['', 'warn', /^Nobody responds/],
    ['rae', 'warn', /^One person alone responds/],
    ['roy', 'ok', /^2 people respond/],
  ] as const) {
    if (login !== '')
      await withPorts(data, async ({ ports }) => {
        await ensureAccount(ports, operator, login)
        await setInstanceRoles(ports, operator, login, ['responder'])
      })
    const found = await lookAt()
    assert.equal(found?.state, state)
    assert.match(found.say, say)
    if (state === 'warn') assert.match(found.todo ?? '', /`holdfast operator measure` is the second/)
  }
  tamper(data, "update account set disabled_at = 1 where login = 'roy'")
  assert.equal((await lookAt())?.state, 'warn', 'an account that was closed responds to nothing')
})

test('an address where another instance answers is told', async () => {
  const [one, other] = [await makeInstance(), await makeInstance()]
  const server = await serve(other.data)
  const { code, findings } = await examine(one.data, '--url', server.url)
  assert.equal(findings.get('public-url')?.state, 'fail')
  assert.match(findings.get('public-url')?.say ?? '', /another instance/)
  assert.equal(code, 1)
  await server.stop()
})

const changes: readonly (readonly [what: string, sql: string, check: string])[] = [
  [
    'a version that names other bytes',
    `update version set digest = '${'ab'.repeat(64)}' where version = '1.1.0'`,
    'versions',
  ],
  [
    'a version that nobody published',
    "insert into version select package, '9.9.9', 99, status, reason, deprecated, digest, shasum, size_bytes, unpacked_size_bytes, file_count, manifest, short_manifest, signatures, has_install_script, dependencies, logged, published_at, publisher, token, approver, removed_at from version where version = '1.1.0'",
    'versions',
  ],
  [
    'a leaf that was rewritten',
    "update event set leaf = replace(leaf, '1.1.0', '1.1.1') where ver = '1.1.0'",
    'events',
  ],
  ['an event that was taken out', "delete from event where ver = '1.1.0'", 'events'],
  ['an event whose row was changed', "update event set ver = '1.1.7' where ver = '1.1.0'", 'events'],
]

for (const [what, sql, check] of changes) {
  test(`${what} is found`, async () => {
    const { data } = await makeInstance()
    tamper(data, sql)
    const { code, findings } = await examine(data)
    assert.equal(findings.get(check)?.state, 'fail', JSON.stringify([...findings]))
    assert.equal(code, 1)
  })
}

test('tarballs that are missing, cut or changed are found', async () => {
  const { data, digests } = await makeInstance()
  const [missing = assert.fail(), cut = assert.fail(), changed = assert.fail()] = digests
  await flipByte(blobPath(data, changed))
  assert.equal((await examine(data)).code, 0)
  const deep = await examine(data, '--deep')
  assert.ok(deep.findings.get('tarballs')?.say.includes(`${changed.slice(0, 16)}… has changed`))
  assert.equal(deep.code, 1)
  await rm(blobPath(data, missing))
  await truncate(blobPath(data, cut), 10)
  const { say } = (await examine(data)).findings.get('tarballs') ?? assert.fail()
  assert.ok(say.includes(`${missing.slice(0, 16)}… is missing`), say)
  assert.ok(say.includes(`${cut.slice(0, 16)}… has 10 bytes`), say)
})

test('folders and keys that others can reach, and a link that lies around, are told with what to do', async () => {
  const { data } = await makeInstance()
  await chmod(data, 0o755)
  await chmod(join(data, 'keys', 'npm.pem'), 0o644)
  await writeFile(join(data, 'set-up-link'), 'http://127.0.0.1/set-up')
  const { code, findings } = await examine(data)
  assert.equal(findings.get('data-folder')?.todo, `Run \`chmod 700 ${data}\`.`)
  assert.equal(findings.get('keys-folder')?.state, 'fail')
  assert.equal(findings.get('set-up-link')?.state, 'warn')
  assert.equal(code, 1)
})

test('passkeys of a host name that publicUrl had before are told, and not those of today', async () => {
  const { data } = await makeInstance()
  const add = (id: string, host: string) =>
    tamper(
      data,
      `insert into passkey (id, account, name, rp_id, public_key, counter, transports, backed_up, created_at)
       values ('${id}', 'a_1', 'laptop', '${host}', 'key', 0, '[]', 0, 1)`,
    )
  add('here', 'localhost')
  assert.equal((await examine(data)).findings.get('passkey-host')?.state, 'ok')
  add('there', 'old.example')
  const { code, findings } = await examine(data)
  assert.equal(code, 1)
  assert.match(findings.get('passkey-host')?.say ?? '', /work there alone: 1 of old\.example/)
})

test('a push of the audit trail that stands still is told', async () => {
  const { data } = await makeInstance()
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'auditPush: syslog+tcp://127.0.0.1:9\n')
  const look = async () => (await examine(data, '--config', config)).findings.get('audit-push')
  assert.equal((await look())?.state, 'ok')
  tamper(data, `update event set at = at - 120000`)
  assert.match((await look())?.say ?? '', /^\d+ events wait to be pushed to 127\.0\.0\.1:9/)
})

test('a webhook that fails is told, by its host alone', async () => {
  const { data } = await makeInstance()
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'webhooks:\n  - url: https://chat.invalid/hooks/s3cret\n')
  const look = () => examine(data, '--config', config)
  assert.equal((await look()).findings.get('webhooks')?.state, 'ok')
  const [webhook] = readConfig({ data }, {}, config).webhooks
  await withPorts(data, async ({ ports: { store } }) => {
    await store.webhooks.begin(webhook?.id ?? '', Date.now())
    await store.webhooks.noteFailed(webhook?.id ?? '', Date.now(), 'it answered 404')
  })
  const { findings } = await look()
  const said = findings.get('webhooks')
  assert.equal(said?.state, 'warn')
  assert.match(said?.say ?? '', /chat\.invalid .* has failed 1 times: it answered 404/)
  assert.ok(![...findings.values()].some(each => each.say.includes('s3cret')))
})

test('every fault of a configuration is told, and a folder without an instance is not made into one', async () => {
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'port: 99999\nsmpt: x\n')
  const faulty = await holdfast('doctor', '--data', freshPath(), '--config', config)
  assert.equal(faulty.code, 1)
  assert.match(faulty.out, /FAIL config: port/)
  assert.match(faulty.out, /FAIL config: smpt: there is no such key/)
  const data = freshPath()
  const { code, findings } = await examine(data)
  assert.equal(code, 1)
  assert.equal(findings.get('database')?.state, 'fail')
  assert.equal(existsSync(data), false)
})

test('an https address without trusted proxies is told', async () => {
  const { data } = await makeInstance()
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'publicUrl: https://registry.invalid\n')
  const untold = await examine(data, '--config', config)
  assert.equal(untold.findings.get('proxy')?.state, 'warn')
  assert.equal(untold.findings.get('public-url')?.state, 'fail')
  await writeFile(config, 'publicUrl: https://registry.invalid\ntrustedProxies: [127.0.0.1]\n')
  assert.equal((await examine(data, '--config', config)).findings.get('proxy')?.state, 'ok')
})

test('a public address without a name is told: browsers make no passkeys for it', async () => {
  const { data } = await makeInstance()
  assert.match((await examine(data)).findings.get('passkeys')?.say ?? '', /work at http:\/\/localhost:/)
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'publicUrl: https://127.9.9.9:9\n')
  assert.equal((await examine(data, '--config', config)).findings.get('passkeys')?.state, 'ok')
  await writeFile(config, 'publicUrl: https://[::2]:9\n')
  assert.equal((await examine(data, '--config', config)).findings.get('passkeys')?.state, 'warn')
})

test('the scrubber removes bytes that no version has named for a day, and nothing else', async () => {
  const { data, digests } = await makeInstance()
  const [named = assert.fail()] = digests
  const [old, young] = await withPorts(data, async ({ ports }) => {
    const stored: Digest[] = []
    for (const text of ['old', 'young']) {
      const writer = await ports.blobs.begin()
      await writer.write(Buffer.from(text))
      stored.push((await writer.keep()).digest)
    }
    return stored
  })
  const longAgo = new Date('2020-01-01')
  for (const digest of [old ?? assert.fail(), named]) await utimes(blobPath(data, digest), longAgo, longAgo)
  const listed = await examine(data, '--deep')
  assert.match(listed.findings.get('orphans')?.say ?? '', /^2 tarballs/)
  assert.equal(listed.code, 0)
  const { findings } = await examine(data, '--scrub')
  assert.match(findings.get('orphans')?.say ?? '', /1 were older than a day/)
  assert.equal(existsSync(blobPath(data, old ?? assert.fail())), false)
  assert.equal(existsSync(blobPath(data, young ?? assert.fail())), true)
  assert.equal((await readFile(blobPath(data, named))).length > 0, true)
})

test('what was unpublished within the day is kept by the scrubber', async () => {
  const { data, digests } = await makeInstance()
  const [digest = assert.fail()] = digests
  await utimes(blobPath(data, digest), new Date('2020-01-01'), new Date('2020-01-01'))
  tamper(data, `update version set status = 'removed', removed_at = ${Date.now()} where digest = '${digest}'`)
  await examine(data, '--scrub')
  assert.equal(existsSync(blobPath(data, digest)), true)
  tamper(data, `update version set removed_at = 1 where digest = '${digest}'`)
  await examine(data, '--scrub')
  assert.equal(existsSync(blobPath(data, digest)), false)
})

test('each upstream is asked: one that answers, one that does not, and one that is this registry', async () => {
  const [{ data }, other] = [await makeInstance(), await makeInstance()]
  const [server, upstream] = [await serve(data), await serve(other.data)]
  const config = `${freshPath()}.yaml`
  const look = async (url: string) => {
    await writeFile(config, `origins: { public: ${url} }\nallowPrivateHosts: [127.0.0.1]\n`)
    return (await examine(data, '--url', server.url, '--config', config)).findings.get('origins')
  }
  const good = await look(`${upstream.url}/npm`)
  assert.equal(good?.state, 'ok')
  assert.match(good?.say ?? '', /signs with 1 key/)
  const ours = await look(`${server.url}/npm`)
  assert.equal(ours?.state, 'fail')
  assert.match(ours?.say ?? '', /this registry itself/)
  await upstream.stop()
  assert.match((await look(`${upstream.url}/npm`))?.say ?? '', /ECONNREFUSED/)
  await server.stop()
})

test('a feed of advisories that fails or is silent is told with its age and why', async () => {
  const { data } = await makeInstance()
  const file = freshPath()
  const names = ['good', 'old', 'bad', 'new'].map(name => `${name}=${data}`)
  await writeFile(file, `advisoryFeeds: [${names.map(each => JSON.stringify(each)).join(', ')}]\n`)
  const row = (name: string, hours: number, fault: string) => {
    const at = hours < 0 ? 0 : Date.now() - hours * 3600_000
    tamper(data, `insert into feed values ('${name}', ${at}, ${at}, 7, 0, '${fault}')`)
  }
  row('good', 2, '')
  row('old', 30, 'no route to it')
  row('bad', -1, 'it answers 503')
  const { out } = await holdfast('doctor', '--data', data, '--json', '--config', file)
  const found = (JSON.parse(out).findings as Finding[]).filter(each => each.check === 'feeds')
  assert.deepEqual(
    found.map(({ state, say }) => [state, say.split(' ')[0]]),
    [
      ['ok', 'good'],
      ['fail', 'old'],
      ['fail', 'bad'],
      ['warn', 'new'],
    ],
  )
  assert.match(found[0]?.say ?? '', /2 hours ago, 7 records/)
  assert.match(found[1]?.say ?? '', /30 hours ago.*silent.*no route to it/)
  assert.match(found[2]?.say ?? '', /never read.*it answers 503/)
})

test('a log that waits, and a database that is older than what was signed, are told with what to do', async () => {
  const { data } = await makeInstance()
  const sound = await examine(data)
  assert.deepEqual(
    ['log-mark', 'log-quorum', 'log-readers'].map(check => sound.findings.get(check)?.state),
    ['ok', 'ok', 'ok'],
  )
  tamper(
    data,
    'update event set at = at - 7200000; update log_published set size = size - 1, at = at - 7200000',
  )
  const waiting = await examine(data)
  assert.equal(waiting.findings.get('log')?.state, 'fail')
  assert.match(waiting.findings.get('log')?.say ?? '', /waited 120 minutes/)
  tamper(data, 'update log_published set size = size - 2; update log_head set size = size - 3')
  const behind = (await examine(data)).findings.get('log-mark')
  assert.equal(behind?.state, 'fail')
  assert.match(`${behind?.say} ${behind?.todo}`, /log-behind.+log recover --from-tiles/)
})
