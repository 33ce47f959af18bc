// SPDX-License-Identifier: Apache-2.0
/** The source repository that a package declares, beside the one it was built from. */

const hosts: Readonly<Record<string, string>> = {
  github: 'github.com',
  gitlab: 'gitlab.com',
  bitbucket: 'bitbucket.org',
}

/** `https://host/owner/name` in lower case for every spelling that npm knows; undefined where nothing is declared. */
export function readDeclaredSource(declared: unknown): string | undefined {
  const said = typeof declared === 'object' && declared !== null ? Object(declared).url : declared
  if (typeof said !== 'string' || said.length > 500) return undefined
  const text = said
    .trim()
    .toLowerCase()
    .replace(/^git\+/, '')
    .replace(/[#?].*$/, '')
  const short = /^(?:(github|gitlab|bitbucket):)?([\w.-]+\/[\w.-]+)$/.exec(text)
  if (short !== null) return `https://${hosts[short[1] ?? 'github']}/${tidy(short[2])}`
  const long = /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([\w.-]+)(?::\d+)?\/(.+)$/.exec(text)
  const scp = /^(?:[\w-]+@)([\w.-]+):(?!\/)(.+)$/.exec(text)
  const found = long ?? scp
  return found === null ? undefined : `https://${found[1]}/${tidy(found[2])}`
}

function tidy(path = ''): string {
  return path.replace(/\/+$/, '').replace(/\.git$/, '')
}

/** Whether what a package declares is where it was built; undefined where it declares nothing that can be compared. */
export function isDeclaredSource(declared: unknown, built: string): boolean | undefined {
  const source = readDeclaredSource(declared)
  return source === undefined ? undefined : source === tidy(built.toLowerCase())
}
