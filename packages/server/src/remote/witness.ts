// SPDX-License-Identifier: Apache-2.0
/**
 * Asks witnesses for cosignatures of our checkpoints (C2SP tlog-witness) and believes nothing they answer: lines count that verify
 * under a key of the policy. One that has seen more of our log than there is, or something else, stops the log: then a database
 * was set back, or somebody signs with our key.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import {
  formatVerifierKey,
  formatWitnessRequest,
  isProblem,
  type NoteSignature,
  type Problem,
  parseNote,
  parseWitnessPolicy,
  problem,
  readCosignatureTime,
  type VerifierKey,
  verifyNote,
  type WitnessPolicy,
  webCrypto,
} from '@holdfast/core'
import type { Clock, Outbound, OutboundAnswer, Witnesses, WitnessState } from '../ports.ts'
import type { WitnessSizes } from './witness-sizes.ts'

const deadlineMs = 2000
const maxAnswerBytes = 64 * 1024
const maxLines = 32
const maxTries = 3
const pauseMs = { first: 10, most: 250 }
/** One that fails is left alone for a while, so that nobody who publishes waits for it each time. */
const restMs = { first: 1000, most: 30_000 }
/** C2SP tlog-cosignature: a clock may be wrong by so much. */
const maxAheadSeconds = 5 * 60

/** What a witness client stands on. */
export interface WitnessSettings {
  readonly policy: PolicyFile
  readonly sizes: WitnessSizes
  readonly outbound: Outbound
  readonly clock: Clock
}

/** A log that nobody else vouches for. */
export const noWitnesses: Witnesses = {
  cosign: async () => ({ lines: [], isQuorumMet: true }),
  list: () => [],
  policy: ['quorum none'],
}

/** A policy, and its lines without logs, which are the clients' business, and without the addresses of witnesses, which are ours. */
export interface PolicyFile extends WitnessPolicy {
  readonly lines: readonly string[]
}

/** Reads a policy file; throws `witness-policy-refused`, also where those who have an address can never be enough. */
export async function readWitnessPolicy(file: string): Promise<PolicyFile> {
  const text = await readFile(file, 'utf8')
  const lines = text.split('\n').map(line => line.replace(/#.*/, '').trim())
  const policy = {
    ...(await parseWitnessPolicy(webCrypto, text)),
    lines: lines
      .filter(line => line !== '' && !/^log\s/.test(line))
      .map(line => line.replace(/^(witness\s+\S+\s+\S+)\s.*$/, '$1')),
  }
  const asked = policy.witnesses.filter(({ url }) => url !== undefined)
  if (policy.isMet(asked.map(({ key }) => key))) return policy
  throw problem('witness-policy-refused', {
    why: 'the witnesses that have an address are not enough for its quorum',
  })
}

interface Round {
  readonly note: string
  readonly size: number
  readonly proveFrom: (size: number) => Promise<readonly Uint8Array[]>
  /** As `performance.now` counts. */
  readonly endsAt: number
}

/** Opens the client for the witnesses of a policy that have an address. */
export function openWitnesses(settings: WitnessSettings): Witnesses {
  const { policy, sizes } = settings
  const peers = policy.witnesses.flatMap(({ name, key, url }) =>
    url === undefined ? [] : [new Peer(settings, name, formatVerifierKey(key), url)],
  )
  return {
    async cosign(note, size, proveFrom) {
      const round = { note, size, proveFrom, endsAt: performance.now() + deadlineMs }
      const answers = await Promise.all(peers.map(peer => peer.ask(round)))
      await sizes.save()
      const lines = new Map(answers.flat().map(({ key, line }) => [key, line]))
      return { lines: [...lines.values()], isQuorumMet: policy.isMet([...lines.keys()]) }
    },
    list: () => peers.map(peer => peer.state()),
    policy: policy.lines,
  }
}

/** One witness, and how it has been doing. */
class Peer {
  readonly #settings: WitnessSettings
  readonly #name: string
  readonly #vkey: string
  readonly #url: string
  readonly #host: string
  #failures = 0
  #restsUntil = 0
  #lastAnswerAt: number | null = null
  #why = ''

  constructor(settings: WitnessSettings, name: string, vkey: string, url: string) {
    this.#settings = settings
    this.#name = name
    this.#vkey = vkey
    this.#url = `${url.replace(/\/+$/, '')}/add-checkpoint`
    this.#host = new URL(url).host
  }

  state(): WitnessState {
    const size = this.#settings.sizes.get(this.#name)
    const [vkey, lastAnswerAt, why] = [this.#vkey, this.#lastAnswerAt, this.#why]
    return { name: this.#name, vkey, host: this.#host, size, lastAnswerAt, why }
  }

  /** The lines it answers that verify. Throws `log-forked`. */
  async ask(round: Round): Promise<readonly Cosignature[]> {
    if (performance.now() < this.#restsUntil) return []
    try {
      const answer = await this.#askUntilAgreed(round)
      const lines = await keepGood(this.#settings, round.note, answer)
      if (lines.length === 0) throw this.#failed('it answers no signature that verifies')
      this.#settings.sizes.set(this.#name, round.size)
      this.#failures = 0
      this.#lastAnswerAt = this.#settings.clock()
      this.#why = ''
      return lines
    } catch (error) {
      if (!isProblem(error) || !['remote-failed', 'remote-private'].includes(error.code)) throw error
      this.#restsUntil = performance.now() + Math.min(restMs.most, restMs.first * 2 ** this.#failures)
      this.#failures += 1
      this.#why = String(error.data['why'] ?? error.message)
      return []
    }
  }

  /** Where it has another size than we believed, it says which, and is asked again from there. */
  async #askUntilAgreed(round: Round): Promise<string> {
    let oldSize = Math.min(this.#settings.sizes.get(this.#name), round.size)
    for (let tries = 1; ; tries++) {
      const answer = await this.#askOnce(round, oldSize)
      if (answer.status === 200) return decode(answer.bytes)
      const told = this.#readRefusal(answer, round.size)
      if (told === oldSize || tries === maxTries) throw this.#failed('it does not agree with itself')
      oldSize = told
      if (tries > 1) await pause(Math.min(pauseMs.most, pauseMs.first * 5 ** (tries - 1)))
    }
  }

  async #askOnce({ note, size, proveFrom, endsAt }: Round, oldSize: number): Promise<OutboundAnswer> {
    const path = oldSize === 0 || oldSize === size ? [] : await proveFrom(oldSize)
    return this.#settings.outbound.ask({
      url: this.#url,
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: formatWitnessRequest({ oldSize, path, checkpoint: note }),
      deadlineMs: Math.max(1, Math.ceil(endsAt - performance.now())),
      maxBytes: maxAnswerBytes,
    })
  }

  /** The size that it has, where that is why it refused. */
  #readRefusal(answer: OutboundAnswer, size: number): number {
    if (answer.status === 422)
      throw forked(`the witness ${this.#name} has cosigned another tree than this one`)
    const told = answer.status === 409 ? readSize(answer) : undefined
    if (told === undefined) throw this.#failed(`it answered ${answer.status}`)
    if (told <= size) return told
    throw forked(`the witness ${this.#name} has cosigned ${told} entries, and here are ${size}`)
  }

  #failed(why: string): Problem {
    return problem('remote-failed', { host: this.#host, why })
  }
}

interface Cosignature {
  readonly key: VerifierKey
  readonly line: string
}

/** Lines that verify under a key of the policy. */
async function keepGood(
  { policy, clock }: WitnessSettings,
  note: string,
  answer: string,
): Promise<readonly Cosignature[]> {
  const { text } = parseNote(note)
  const keys = policy.witnesses.map(({ key }) => key)
  const good: Cosignature[] = []
  for (const raw of answer.split('\n').slice(0, maxLines)) {
    const signature = readLine(text, raw)
    if (signature === undefined || isFromFuture(signature, clock())) continue
    const [key] = await verifyNote(webCrypto, { text, signatures: [signature] }, keys).catch(() => [])
    if (key !== undefined) good.push({ key, line: `${raw}\n` })
  }
  return good
}

function isFromFuture(signature: NoteSignature, now: number): boolean {
  try {
    return readCosignatureTime(signature) > now / 1000 + maxAheadSeconds
  } catch {
    return true
  }
}

function readLine(text: string, raw: string): NoteSignature | undefined {
  try {
    return parseNote(`${text}\n${raw}\n`).signatures[0]
  } catch {
    return undefined
  }
}

/** The size in a 409, undefined where it is none. */
function readSize({ headers, bytes }: OutboundAnswer): number | undefined {
  if (!/^text\/x\.tlog\.size\b/.test(headers['content-type'] ?? '')) return undefined
  const [, size] = /^(0|[1-9]\d{0,15})\n$/.exec(decode(bytes)) ?? []
  return Number.isSafeInteger(Number(size)) ? Number(size) : undefined
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function forked(why: string): Problem {
  return problem('log-forked', { why })
}
