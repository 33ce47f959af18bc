// SPDX-License-Identifier: Apache-2.0
/** The snippets of *Use this registry*: pure texts, each run with its real client by a test. */

/** What the snippets are made for: where the registry is, and the scopes it holds. */
export interface Place {
  /** With its slash at the end: yarn and bun need it. */
  readonly registry: string
  /** Scopes hosted here, each with its `@`; without any the snippets take everything from here. */
  readonly scopes: readonly string[]
  /** Patterns of one's own names: clients that wait with young versions need not wait with these. */
  readonly own: readonly string[]
}

/** One text to copy, and the file it belongs in. */
export interface ClientSnippet {
  readonly id: string
  readonly file: string
  readonly text: string
}

/** Where a snippet finds the token; a file in a repository never holds the token itself. */
export const tokenVariable = 'HOLDFAST_TOKEN'

const token = `\${${tokenVariable}}`

/** npm reads this file; yarn 1 nearly. */
export function npmrc(place: Place): ClientSnippet {
  return {
    id: 'npmrc',
    file: '.npmrc',
    text: lines(registryLines(place), `${nerf(place)}:_authToken=${token}`),
  }
}

/** pnpm takes the token from one's own file only: a repository must not decide where secrets of the environment go. */
export function pnpmFiles(place: Place): readonly ClientSnippet[] {
  const files = [
    { id: 'pnpm', file: '.npmrc', text: lines(registryLines(place)) },
    { id: 'pnpm-token', file: '~/.npmrc', text: lines(`${nerf(place)}:_authToken=${token}`) },
  ]
  if (place.own.length === 0) return files
  const text = lines('minimumReleaseAgeExclude:', ...yamlList(place.own))
  return [...files, { id: 'pnpm-age', file: 'pnpm-workspace.yaml', text }]
}

/** yarn 1 sends a token for unscoped names only when told to. */
export function yarn1rc(place: Place): ClientSnippet {
  const { id, file, text } = npmrc(place)
  return { id: id.replace('npmrc', 'yarn1'), file, text: lines(text.trimEnd(), 'always-auth=true') }
}

/** yarn 4 knows no .npmrc; without `npmAlwaysAuth` it asks for unscoped packages without the token. */
export function yarnrc(place: Place): ClientSnippet {
  const server = place.registry.replace(/\/$/, '')
  const settings = (indent: string) =>
    [`npmRegistryServer: "${server}"`, 'npmAlwaysAuth: true', `npmAuthToken: "${token}"`].map(
      line => indent + line,
    )
  const body =
    place.scopes.length === 0
      ? settings('')
      : ['npmScopes:', ...place.scopes.flatMap(scope => [`  ${scope.slice(1)}:`, ...settings('    ')])]
  return {
    id: 'yarnrc',
    file: '.yarnrc.yml',
    text: lines(...body, ...preapproved(place), ...plainHttp(place)),
  }
}

/** yarn 4 refuses what is younger than a day; one's own names may be newer. */
function preapproved({ own }: Place): string[] {
  return own.length === 0 ? [] : ['npmPreapprovedPackages:', ...yamlList(own)]
}

function yamlList(items: readonly string[]): string[] {
  return items.map(item => `  - "${item}"`)
}

/** yarn 4 refuses http unless the host is named. */
function plainHttp({ registry }: Place): string[] {
  const { protocol, hostname } = new URL(registry)
  return protocol === 'http:' ? ['unsafeHttpWhitelist:', ...yamlList([hostname])] : []
}

export function bunfig({ registry, scopes }: Place): ClientSnippet {
  const target = `{ url = "${registry}", token = "$${tokenVariable}" }`
  const body =
    scopes.length === 0
      ? ['[install]', `registry = ${target}`]
      : ['[install.scopes]', ...scopes.map(scope => `"${scope.slice(1)}" = ${target}`)]
  return { id: 'bunfig', file: 'bunfig.toml', text: lines(...body) }
}

/** GitHub Actions; the token is a secret of the repository. */
export function githubActions(): ClientSnippet {
  const text = `name: test
on: [push]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: npm ci
        env:
          ${tokenVariable}: \${{ secrets.${tokenVariable} }}
      - run: npm test
`
  return { id: 'github', file: '.github/workflows/test.yml', text }
}

/** GitLab CI; the token is a masked variable of the project. */
export function gitlabCi(): ClientSnippet {
  const text = `test:
  image: node:24
  script:
    - npm ci
    - npm test
`
  return { id: 'gitlab', file: '.gitlab-ci.yml', text }
}

/** Renovate reads the committed .npmrc for where, and this for the token. */
export function renovate({ registry }: Place): ClientSnippet {
  const rule = { hostType: 'npm', matchHost: registry, token: `{{ secrets.${tokenVariable} }}` }
  const text = `${JSON.stringify({ extends: ['config:recommended'], hostRules: [rule] }, undefined, 2)}\n`
  return { id: 'renovate', file: 'renovate.json', text }
}

/** Dependabot reads the committed .npmrc for where, and this for the token. */
export function dependabot({ registry }: Place): ClientSnippet {
  const text = `version: 2
registries:
  holdfast:
    type: npm-registry
    url: ${registry}
    token: \${{ secrets.${tokenVariable} }}
updates:
  - package-ecosystem: npm
    directory: /
    registries:
      - holdfast
    schedule:
      interval: weekly
`
  return { id: 'dependabot', file: '.github/dependabot.yml', text }
}

/** So that `npm publish` of a scoped or unscoped package can go nowhere else by mistake. */
export function publishConfig({ registry }: Place): ClientSnippet {
  return {
    id: 'publish-config',
    file: 'package.json',
    text: `"publishConfig": { "registry": "${registry}" }`,
  }
}

function registryLines({ registry, scopes }: Place): string {
  return scopes.length === 0
    ? `registry=${registry}`
    : scopes.map(scope => `${scope}:registry=${registry}`).join('\n')
}

/** The address without its scheme, as npm names credentials. */
function nerf({ registry }: Place): string {
  return registry.replace(/^https?:/, '')
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
