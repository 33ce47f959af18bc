// SPDX-License-Identifier: Apache-2.0
/** Reports of packages and accounts, from anybody. */
import { parsePackageName, parseVersion } from '@holdfast/core'
import * as v from 'valibot'
import { makeReport } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import { reportKinds } from '../../incident/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 64 * 1024
const text = v.pipe(v.string(), v.maxLength(4000))
/** What a report says. */
export const reportBody = v.object({
  package: v.optional(v.string()),
  version: v.optional(v.string()),
  account: v.optional(v.string()),
  kind: v.picklist(reportKinds, `must be one of ${reportKinds.join(', ')}`),
  words: text,
  evidence: v.optional(text, ''),
  email: v.optional(v.pipe(v.string(), v.maxLength(254)), ''),
})

/**
 * `POST /api/v1/reports` with `{"package", "version"?, "kind", "words", "evidence"?, "email"?}`, or `account` in place of the
 * package. Without a token it waits until whoever reads `email` opens the link of a letter.
 */
export async function postReport(ports: Ports, call: Call): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const {
    package: name,
    version,
    account,
    kind,
    words,
    evidence,
    email,
  } = await readBody(call, maxBodyBytes, reportBody)
  const { actor } = call
  const from = 'from' in actor ? actor.from : { address: '', client: '', web: false }
  const reported = {
    ...(name === undefined ? {} : { package: parsePackageName(name) }),
    ...(version === undefined ? {} : { version: parseVersion(version) }),
    ...(account === undefined ? {} : { login: account }),
    kind,
    words,
    evidence,
  }
  const { id, state } = await makeReport(ports, actor, from, reported, email)
  return json(201, { id, state })
}
