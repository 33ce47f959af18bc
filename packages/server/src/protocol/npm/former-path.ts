// SPDX-License-Identifier: Apache-2.0
/** Where the registry stood before: lock files go on naming its addresses, and the requests that follow them come here. */

/** What Nexus and Artifactory put in front of npm's own path, with the name of a repository behind it. */
export const formerPrefixes = ['/repository/', '/artifactory/api/npm/'] as const

/**
 * An address of the old registry, alone where its host name leads here, or below `/npm` where npm moved it
 * (`replace-registry-host`). No name of a repository begins with `-`: `/npm/repository/-/repository-1.0.0.tgz` is a package.
 */
const former = /^(?:\/npm)?\/(?:repository|artifactory\/api\/npm)\/[^/?#-][^/?#]*(?=\/)/

/** The same address below `/npm/`: `/repository/npm-all/ui/-/ui-1.0.0.tgz` → `/npm/ui/-/ui-1.0.0.tgz`. */
export function withoutFormerPath(url: string): string {
  return url.replace(former, '/npm')
}
