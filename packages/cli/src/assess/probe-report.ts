// SPDX-License-Identifier: Apache-2.0
/** Reports as people make them, for the probes that look what comes of them. */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { MailSink } from './mail-sink.ts'
import { demand, type ProbeInstance } from './probe.ts'
import { basicOf, linkIn, openFormBrowser, type ProbePerson } from './probe-person.ts'

const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))

/** A package, and perhaps one version of it. */
export interface ReportSubject {
  readonly package: string
  readonly version: string
}

/** By the API, with an account. */
export async function reportByApi(
  { url }: Pick<ProbeInstance, 'url'>,
  person: ProbePerson,
  about: ReportSubject,
  kind = 'malware',
): Promise<void> {
  const reply = await fetch(`${url}/api/v1/reports`, {
    method: 'POST',
    headers: {
      authorization: basicOf(person),
      'content-type': 'application/json',
    },
    body: JSON.stringify({ ...about, kind, words: 'a probe says so' }),
  })
  const said = await reply.text()
  demand(reply.status === 201, `the API must take a report: ${reply.status} ${said.slice(0, 200)}`)
}

/** By the form, without an account; the letter is still to be answered. */
export async function reportByPage(
  instance: Pick<ProbeInstance, 'url'>,
  about: ReportSubject,
  email: string,
): Promise<void> {
  const fields = { ...about, kind: 'malware', words: 'a probe says so', evidence: '', email }
  const sent = await openFormBrowser(instance).post('/report', fields)
  demand(sent.status === 200, `the form must take a report: ${sent.status}`)
}

/** By the command line, without an account; likewise. */
export async function reportByCommand(
  { url }: Pick<ProbeInstance, 'url'>,
  { package: name, version }: ReportSubject,
  email: string,
): Promise<void> {
  const line = [launcher, 'report', `${name}@${version}`, '--kind', 'malware', '--words', 'a probe says so']
  const rest = ['--email', email, '--registry', url]
  const { HOLDFAST_TOKEN: _, ...env } = process.env
  const surroundings = { cwd: tmpdir(), env: { ...env, NPM_CONFIG_USERCONFIG: '/dev/null' } }
  await promisify(execFile)(process.execPath, [...line, ...rest], surroundings)
}

/** Opens the link of the letter, and says that the report is theirs. */
export async function confirmByLetter(
  instance: Pick<ProbeInstance, 'url'>,
  sink: MailSink,
  email: string,
): Promise<void> {
  const letter = await sink.find(email, /^Confirm your report/)
  const path = linkIn(letter?.text, /(\/report\/confirm\/\S+)/)
  demand(path !== '', `a letter with a link must go to ${email}`)
  const browser = openFormBrowser(instance)
  demand((await browser.get(path)).status === 200, 'the link of the letter must lead to a page')
  demand((await browser.post(path, {})).status === 200, 'the form behind the link must make a report count')
}

/** The paths of the cases that the inbox of a responder shows. */
export async function listCasePaths({ browser }: ProbePerson): Promise<readonly string[]> {
  const { status, text } = await browser.get('/operate/cases')
  demand(status === 200, `a responder must see the cases: ${status}`)
  return [...text.matchAll(/href="(\/operate\/cases\/case-[0-9a-f]{16})"/g)].map(([, path]) => path ?? '')
}
