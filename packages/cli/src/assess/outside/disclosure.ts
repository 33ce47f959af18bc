// SPDX-License-Identifier: Apache-2.0
import { fail, type OutsideProbe, pass, type Target } from '../outside.ts'

/** `security.txt` (RFC 9116) that is not over, and a policy behind it that can be read. */
export const disclosure: OutsideProbe = { capability: 'general-1-vdp', look }

async function look(target: Target) {
  const reply = await target.ask('/.well-known/security.txt')
  if (reply.status !== 200) return fail(`/.well-known/security.txt answers ${reply.status}`)
  const fields = parseFields(new TextDecoder().decode(reply.body))
  const missing = ['contact', 'expires', 'policy'].filter(name => !fields.has(name))
  if (missing.length > 0) return fail(`security.txt has no field ${missing.join(', ')}`)
  const expires = fields.get('expires') ?? ''
  if (!(Date.parse(expires) > Date.now())) return fail(`security.txt ended ${expires}`)
  const policy = new URL(fields.get('policy') ?? '', target.origin)
  const page = await target.ask(policy.href)
  if (page.status !== 200) return fail(`the policy that security.txt names answers ${page.status}`)
  return pass(
    `security.txt names a contact, is good until ${expires}, and its policy can be read: ${policy.href}`,
  )
}

/** The first value of each field, by its name in lower case. */
function parseFields(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split(/\r?\n/).slice(0, 1000)) {
    const [, name, value] = /^([A-Za-z-]{1,40}):[ \t]*(\S.{0,2000})$/.exec(line) ?? []
    if (name !== undefined && value !== undefined && !found.has(name.toLowerCase()))
      found.set(name.toLowerCase(), value.trim())
  }
  return found
}
