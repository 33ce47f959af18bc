// SPDX-License-Identifier: Apache-2.0
/** What a certificate authority for builds writes into its certificates (Fulcio, `docs/oid-info.md`). */
import type { BuildFacts } from './provenance.ts'

/** One extension of a certificate: its OID, dotted, and its value as it lies there. */
interface Extension {
  readonly oid: string
  readonly value: Uint8Array
}

const prefix = '1.3.6.1.4.1.57264.1.'
const longest = 1024
const github = 'https://token.actions.githubusercontent.com'

/**
 * The facts of a build, or undefined where the certificate is not a build's, or says something twice. Values are read by exact
 * OIDs; those from before 2023 have fewer and older ones, which are bare text.
 */
export function readBuild(extensions: readonly Extension[], subject: string): BuildFacts | undefined {
  const ours = extensions.filter(({ oid }) => oid.startsWith(prefix))
  const values = new Map(ours.map(({ oid, value }) => [Number(oid.slice(prefix.length)), value]))
  if (values.size !== ours.length) return undefined
  const bare = (n: number) => printable(values.get(n))
  const text = (n: number) => printable(utf8String(values.get(n)))
  const build = values.has(8)
    ? {
        issuer: text(8),
        repository: text(12),
        commit: text(13),
        ref: text(14),
        workflow: text(18),
        builder: text(9) === text(18) ? '' : text(9),
        runner: text(11),
        repositoryId: text(15),
        ownerId: text(17),
        trigger: text(20),
        run: text(21),
        visibility: text(22),
        environment: text(23),
      }
    : {
        issuer: bare(1),
        // The older form names no host, and only this issuer had it.
        repository: bare(1) === github && bare(5) !== '' ? `https://github.com/${bare(5)}` : '',
        commit: bare(3),
        ref: bare(6),
        workflow: printable(Buffer.from(subject)),
        builder: '',
        runner: '',
        repositoryId: '',
        ownerId: '',
        trigger: bare(2),
        run: '',
        visibility: '',
        environment: '',
      }
  return build.issuer === '' || build.repository === '' || build.commit === '' ? undefined : build
}

/** The text of a DER UTF8String that fills the value exactly, else nothing. */
function utf8String(value: Uint8Array | undefined): Uint8Array | undefined {
  if (value === undefined || value[0] !== 0x0c) return undefined
  const [, first = 0, second = 0, third = 0] = value
  if (first < 0x80) return value.length === 2 + first ? value.subarray(2) : undefined
  if (first === 0x81) return value.length === 3 + second ? value.subarray(3) : undefined
  const isWhole = first === 0x82 && value.length === 4 + second * 256 + third
  return isWhole ? value.subarray(4) : undefined
}

/** ASCII that can be shown; anything else counts as nothing. */
function printable(value: Uint8Array | undefined): string {
  const text = Buffer.from(value ?? []).toString('latin1')
  return text.length <= longest && /^[\x21-\x7e]*$/.test(text) ? text : ''
}
