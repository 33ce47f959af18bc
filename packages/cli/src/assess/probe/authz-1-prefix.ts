// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, makeProbeToken, openProbeClient, type ProbeClient } from '../probe-client.ts'

const form = /^holdfast_([a-z0-9]+)_([0-9A-Za-z]{30,})([0-9A-Za-z]{6})$/
const ruleFiles = ['gitleaks.toml', 'trufflehog.yaml', 'github.json', 'gitlab.toml'] as const
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Tokens can be told from other text by prefix, instance id and checksum, and a changed one is worth nothing. */
export const tokenPrefix: Probe = { capability: 'authz-1-prefix', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const other = await makeProbeToken(instance, 'probe-prefix', client.nameOf('*'))
  const [first, second] = [readToken(client.token), readToken(other)]
  demand(first.instance === second.instance, 'two tokens of one instance must carry the same instance id')
  demand(first.random !== second.random, 'two tokens must not carry the same random part')
  const whoami = await client.ask('GET', '/npm/-/whoami')
  demand(whoami.status === 200, `the token must work, and whoami answers ${describeReply(whoami)}`)
  await checkRules(client)
  const changed = await client.ask('GET', '/npm/-/whoami', { token: changeLetter(client.token) })
  demand(changed.status === 401, `a changed token must be refused with 401, not ${describeReply(changed)}`)
  return [
    `tokens have the form holdfast_${first.instance}_<${first.random.length} random characters><checksum>`,
    'the checksum is the CRC-32 of all before it, in six base-62 digits; a changed token is refused',
    `rules for scanners are served, and find a token of this instance: ${ruleFiles.join(', ')}`,
  ]
}

/** The published rules find a real token, and no word that only begins like one. */
async function checkRules(client: ProbeClient): Promise<void> {
  for (const file of ruleFiles) {
    const served = await client.ask('GET', `/policy/tokens/rules/${file}`, { accept: '*/*', token: '' })
    demand(served.status === 200, `the rule ${file} must be served, and answers ${describeReply(served)}`)
    const pattern = /holdfast_\[[^'"\\]*\{\d+\}/.exec(served.body.toString())?.[0] ?? ''
    const rule = new RegExp(`\\b${pattern}\\b`)
    demand(pattern !== '' && rule.test(`"${client.token}"`), `the rule ${file} must find a token`)
    demand(!rule.test(`holdfast_${'x'.repeat(47)}`), `the rule ${file} must not find what is no token`)
  }
}

/** Takes a token apart the way a secret scanner does, by what is published and not by the server's code. */
function readToken(token: string): { instance: string; random: string } {
  const [, instance = '', random = '', checksum = ''] = form.exec(token) ?? []
  demand(instance !== '', 'a token must have the form holdfast_<instance>_<random><checksum>')
  const wanted = toBase62(crc32(token.slice(0, -6)))
  demand(checksum === wanted, 'the last six characters of a token must be the checksum of those before it')
  return { instance, random }
}

/** Six base-62 digits, as the checksum is written. */
export function toBase62(value: number): string {
  const digits = [5, 4, 3, 2, 1, 0].map(place => base62[Math.floor(value / 62 ** place) % 62])
  return digits.join('')
}

function changeLetter(token: string): string {
  const at = token.length - 10
  return `${token.slice(0, at)}${token[at] === 'a' ? 'b' : 'a'}${token.slice(at + 1)}`
}
