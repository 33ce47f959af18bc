// SPDX-License-Identifier: Apache-2.0

const owner = '[\\w.-]+'
const repository = '([\\w.-]+?)(?:\\.git)?'
const hosts: Readonly<Record<string, string>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'bitbucket.org': 'bitbucket',
}
const shortcut = new RegExp(`^(?:(github|gitlab|bitbucket):)?(?!\\.)(${owner})/${repository}(#.*)?$`)
const address = new RegExp(
  `^(?:(?:git\\+)?(?:https?|ssh|git)://)?(?:[^@/\\s]*@)?(github\\.com|gitlab\\.com|bitbucket\\.org)[/:](${owner})/${repository}/?(#.*)?$`,
)

/**
 * One text for all ways to name a repository on the hosts that npm knows: `user/repo`,
 * `https://github.com/user/repo.git` and `github:user/repo` are one source, since npm writes the one for the other.
 * Everything else, ranges above all, comes back as it is.
 */
export function canonicalSource(source: string): string {
  const short = shortcut.exec(source)
  if (short !== null) return formatSource(short[1] ?? 'github', short[2], short[3], short[4])
  const long = address.exec(source)
  return long === null ? source : formatSource(hosts[long[1] ?? ''] ?? '', long[2], long[3], long[4])
}

function formatSource(host: string, user = '', name = '', committish = ''): string {
  return `${host}:${user}/${name}${committish}`
}
