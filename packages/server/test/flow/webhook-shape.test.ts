// SPDX-License-Identifier: Apache-2.0
/** What chat tools take, by the limits that they document: each listens by HTTP, and refuses what it would refuse. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import fc from 'fast-check'
import type { Webhook } from '../../src/config.ts'
import type { Alert } from '../../src/flow/alert.ts'
import { takeMeasure } from '../../src/flow/index.ts'
import { formatAlerts } from '../../src/flow/webhook-shape.ts'
import { operator } from '../../src/identity/index.ts'
import { type Json, openWorld } from '../world.ts'

const kinds = ['held', 'blocked', 'waiver', 'takedown']
const link = /^https?:\/\/[^\s<>|]+$/

/** Throws where the tool would refuse the message, or find markup, a link or somebody to call in what is not ours. */
const tools: Readonly<Record<Exclude<Webhook['as'], 'json'>, (body: Json) => void>> = {
  chat({ text, ...others }) {
    assert.deepEqual(others, {})
    assert.ok(text.length > 0 && text.length <= 4096)
    assert.doesNotMatch(text, /<|>/)
    const ours = /https?:\/\/(registry\.example|127\.0\.0\.1:\d+)\/\S+/g
    assert.doesNotMatch(withoutCode(text).replace(ours, ''), /@\w|\]\(|:\/\//)
  },
  slack({ text, blocks, ...others }) {
    assert.deepEqual(others, {})
    assert.ok(text.length > 0 && text.length <= 40_000)
    assert.doesNotMatch(text, /<|>|@\w/)
    assert.ok(blocks.length > 0 && blocks.length <= 50)
    for (const block of blocks) {
      const texts = block.type === 'context' ? block.elements : [block.text]
      assert.ok(texts.length <= 10)
      for (const each of texts) {
        assert.ok(each.text.length > 0 && each.text.length <= 3000)
        assert.match(each.type, /^(plain_text|mrkdwn)$/)
        if (each.type === 'mrkdwn') assert.match(each.text, /^(and \d+ more: )?<https?:[^<>|\s]+\|[a-z-]+>$/)
      }
    }
  },
  mattermost({ text, ...others }) {
    assert.deepEqual(others, {})
    assert.ok(text.length > 0 && text.length <= 16_383)
    for (const line of text.split('\n').filter(Boolean))
      assert.match(withoutCode(line), /^(\*\*[a-z-]+\*\*|and \d+ more:) +<https?:[^<>\s]+>$/)
  },
  discord({ content, embeds, allowed_mentions, ...others }) {
    assert.deepEqual(others, {})
    assert.deepEqual(allowed_mentions, { parse: [] })
    assert.ok(content.length <= 2000 && embeds.length > 0 && embeds.length <= 10)
    assert.match(content, /^(and \d+ more: <https?:[^<>\s]+>)?$/)
    const texts = embeds.flatMap(({ title, description }: Json) => [title, description])
    assert.ok(texts.join('').length <= 6000)
    for (const { title, description, url, timestamp } of embeds) {
      assert.ok(title.length > 0 && title.length <= 256 && description.length <= 4096)
      assert.match(url, link)
      assert.equal(withoutCode(description).trim(), '')
      assert.equal(new Date(timestamp).toISOString(), timestamp)
    }
  },
  teams({ type, attachments: [attachment, ...more], ...others }) {
    assert.deepEqual([others, more, type], [{}, [], 'message'])
    assert.equal(attachment.contentType, 'application/vnd.microsoft.card.adaptive')
    const card = attachment.content
    assert.deepEqual([card.type, card.version, card.msteams], ['AdaptiveCard', '1.4', { width: 'Full' }])
    for (const block of card.body) {
      assert.equal(block.type, 'RichTextBlock', 'TextBlock reads Markdown')
      for (const { type, text, selectAction } of block.inlines) {
        assert.ok(type === 'TextRun' && text.length > 0)
        if (selectAction !== undefined) assert.match(selectAction.url, link)
      }
    }
  },
}
const mostBytes = { chat: 16_000, slack: 200_000, mattermost: 64_000, discord: 64_000, teams: 28 * 1024 }

/** As Markdown takes code out before it looks for anything else. */
function withoutCode(text: string): string {
  return text.replace(/(?<!`)`[^`]+`(?!`)/g, '').replace(/ +/g, ' ')
}

function check(as: keyof typeof tools, text: string): void {
  assert.ok(Buffer.byteLength(text) <= mostBytes[as])
  const body = JSON.parse(text, (_, value) => {
    if (typeof value === 'string') {
      assert.ok(value.isWellFormed(), 'half a character')
      assert.doesNotMatch(value, /[\u202a-\u202e\u2066-\u2069\0\r\u2028]/)
    }
    return value
  })
  tools[as](body)
}

const hostile = fc
  .string({ unit: 'grapheme', maxLength: 900 })
  .chain(text =>
    fc.constantFrom(
      text,
      ...['<!channel>', '@everyone', '@here', '[here](http://evil.example)', '```', '`', '<at>all</at>'].map(
        each => `${text}${each}`.repeat(1 + (text.length % 200)),
      ),
      ...['http://evil.example|x>', '\n# head\r\n', '\u202e', '&<>', '**b**', '\ud83d', '<@U1>', '!'],
    ),
  )
const alerts = fc.array(
  fc.record({
    id: fc.constant('evt_1'),
    kind: fc.constantFrom(...(kinds as Alert['kind'][])),
    at: fc.integer({ min: 0, max: 4e12 }),
    package: fc.oneof(fc.constant(''), fc.constant('@acme/everyone'), hostile),
    version: fc.oneof(fc.constant(''), fc.constant('1.0.0'), hostile),
    words: hostile,
    path: fc.constantFrom('/operate/cases/c_1', '/why/npm/@acme/ui/1.0.0-a'),
  }),
  { minLength: 1, maxLength: 100, size: 'max' },
)

for (const as of Object.keys(tools) as (keyof typeof tools)[])
  test(`${as} takes any alerts, and finds nobody to call and nothing to follow in them but ours`, () => {
    fc.assert(
      fc.property(alerts, all => check(as, formatAlerts(as, all, 'https://registry.example'))),
      { numRuns: 60 },
    )
    const [large] = fc.sample(
      alerts.map(([first]) => ({ ...first, words: '漢'.repeat(900) }) as Alert),
      1,
    )
    check(as, formatAlerts(as, Array(100).fill(large), 'https://registry.example'))
  })

/** A chat tool that refuses what it does not take. */
async function listenAs(t: TestContext, as: keyof typeof tools) {
  const taken: Json[] = []
  const refused: string[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const text = Buffer.concat(pieces).toString()
    try {
      assert.equal(request.headers['content-type'], 'application/json')
      check(as, text)
      taken.push(JSON.parse(text))
      response.writeHead(as === 'teams' ? 202 : 200).end('ok')
    } catch (error) {
      refused.push(String(error))
      response.writeHead(400).end('invalid_payload')
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return { as, taken, refused, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

test('every tool is told in its own shape what happened here', async t => {
  const listeners = await Promise.all(
    (Object.keys(tools) as (keyof typeof tools)[]).map(as => listenAs(t, as)),
  )
  const webhooks = JSON.stringify(listeners.map(({ as, url }) => ({ as, url, on: ['held'] })))
  const world = await openWorld({ webhooks, allowPrivateHosts: '127.0.0.1' })
  t.after(() => world.close())
  const name = parsePackageName('@acme/ui')
  const ann = await world.someone('ann')
  for (let at = 0; at < 12; at++) {
    const version = parseVersion(`1.0.${at}`)
    await world.publish(ann, name, version)
    const words = `<!channel> @everyone [see](http://evil.example) \`x\` ${'\n# '.repeat(200)}`
    await takeMeasure(world.ports, operator, 'quarantine', { name, version }, { code: 'malware', words })
  }
  for (const { as, taken, refused } of listeners) {
    const all = () => JSON.stringify(taken)
    while (!all().includes('1.0.11') && !/and \d+ more/.test(all()) && refused.length === 0) await delay(20)
    assert.deepEqual(refused, [], as)
    assert.match(all(), /held/)
    assert.ok(all().includes(`${world.url}/why/npm/@acme/ui/1.0.0`), as)
  }
})
