// SPDX-License-Identifier: Apache-2.0
/** `security.txt` (RFC 9116): where whoever found a hole turns to. */

/** What the file says; every address as it stands there. */
export interface SecurityText {
  /** In the order of preference. */
  readonly contacts: readonly string[]
  /** Milliseconds since the epoch: nobody should believe it later. */
  readonly expiresAt: number
  readonly policies: readonly string[]
  readonly canonicals: readonly string[]
  readonly languages: readonly string[]
}

const maxBytes = 32 * 1024
const timeForm = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
const addressForm = /^(mailto:[^\s@]+@[^\s@]+|tel:[+\d().-]+|https:\/\/\S+)$/i

/** Whether something may stand as a contact: `mailto:`, `tel:` or an https address. */
export function isSecurityContact(text: string): boolean {
  return addressForm.test(text)
}

/** The file's text, lines as the standard orders nothing else. */
export function formatSecurityText(told: SecurityText): string {
  const lines = [
    ...told.contacts.map(each => `Contact: ${each}`),
    `Expires: ${new Date(told.expiresAt).toISOString()}`,
    ...told.policies.map(each => `Policy: ${each}`),
    ...told.canonicals.map(each => `Canonical: ${each}`),
    ...(told.languages.length === 0 ? [] : [`Preferred-Languages: ${told.languages.join(', ')}`]),
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** Reads such a file as RFC 9116 wants it read; throws an Error that says what is wrong. */
export function parseSecurityText(text: string): SecurityText {
  if (text.length > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
  const fields = text.split(/\r?\n/).flatMap(readLine)
  const all = (name: string) => fields.filter(each => each.name === name).map(each => each.value)
  const contacts = all('contact')
  if (contacts.length === 0) throw new Error('it names no Contact')
  const wrong = contacts.find(each => !/^[a-z][a-z0-9+.-]*:\S+$/i.test(each))
  if (wrong !== undefined) throw new Error(`the Contact ${wrong} is no URI`)
  const languages = all('preferred-languages')
  if (languages.length > 1) throw new Error('it has more than one Preferred-Languages')
  return {
    contacts,
    expiresAt: readExpiry(all('expires')),
    policies: all('policy'),
    canonicals: all('canonical'),
    languages: (languages[0] ?? '').split(/\s*,\s*/).filter(Boolean),
  }
}

function readLine(line: string): { readonly name: string; readonly value: string }[] {
  if (line.trim() === '' || line.startsWith('#')) return []
  const [, name, value] = /^([A-Za-z-]+):[ \t]+(\S.*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`the line ${line.slice(0, 80)} is no field`)
  return [{ name: name.toLowerCase(), value: value.trim() }]
}

function readExpiry(values: readonly string[]): number {
  const [value] = values
  if (value === undefined || values.length > 1) throw new Error('it must have one Expires')
  if (!timeForm.test(value) || Number.isNaN(Date.parse(value)))
    throw new Error(`Expires ${value} is no time of RFC 3339`)
  return Date.parse(value)
}
