// SPDX-License-Identifier: Apache-2.0
import { parseNote, readCosignatureTime } from '@holdfast/core'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from './format.ts'
import { notice } from './notice.ts'

/** Of a cosignature: eight bytes of time and an Ed25519 signature. */
const cosignatureBytes = 72

/** Names of the witnesses that cosigned a checkpoint, each once. */
export function witnessesOf(note: string): readonly string[] {
  const lines = parseNote(note).signatures.filter(({ bytes }) => bytes.length === cosignatureBytes)
  return [...new Set(lines.map(({ name }) => name))]
}

/** Who signed a checkpoint and when, as its lines say: the log itself, and witnesses who saw that it only grew. */
export function checkpointSignatures(note: string, now: number): Markup {
  const { signatures } = parseNote(note)
  const times = signatures.map(each =>
    each.bytes.length === cosignatureBytes ? readCosignatureTime(each) * 1000 : undefined,
  )
  const isWitnessed = times.some(time => time !== undefined)
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Signed by</th><th scope="col">Key</th><th scope="col">As</th><th scope="col">When</th></tr></thead>
<tbody>${signatures.map((each, at) => {
    const time = times[at]
    return html`<tr><td>${each.name}</td><td><code>${each.id}</code></td><td>${time === undefined ? 'the log' : 'witness'}</td><td class="nowrap">${time === undefined ? nothing : ago(time, now)}</td></tr>`
  })}</tbody></table></div>
${isWitnessed ? nothing : notice('plain', 'No witness signed this checkpoint', html`<p>Whoever looked here before can see that the log only grew since. Nobody else vouches that all readers are shown the same log.</p>`)}`
}
