// SPDX-License-Identifier: Apache-2.0
import { mayReadPublic } from '../../identity/index.ts'
import { circleLogin, githubLogin, gitlabLogin, jenkinsLogin } from '../ci-setup.ts'
import {
  bunfig,
  type ClientSnippet,
  dependabot,
  githubActions,
  gitlabCi,
  npmrc,
  type Place,
  pnpmFiles,
  publishConfig,
  renovate,
  tokenVariable,
  yarn1rc,
  yarnrc,
} from '../client-setup.ts'
import type { PageContext } from '../context.ts'
import { release, sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { snippet } from '../part/snippet.ts'

const everything = 'all'

/** How clients and CI are pointed here, with this instance's own address. */
export async function usePage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const registry = `${ports.config.publicUrl}/npm/`
  // Whose names these are is for those who may read here.
  const own = mayReadPublic(ports.config, call.actor) ? await ports.store.catalog.listHosted() : []
  const scopes = [...new Set(own.flatMap(pattern => /^(@[^/*]+)\//.exec(pattern)?.[1] ?? []))]
  const takesAll = scopes.length === 0 || call.query.get('for') === everything
  const place = { registry, scopes: takesAll ? [] : scopes, own }
  const main = html`<h1>Use this registry</h1>
<p class="lead">Its address for every client: <code>${registry}</code></p>
${scopes.length === 0 ? nothing : choice(scopes, takesAll)}
${token(place)}
${clients(place)}
${identity(place)}
${automation(place)}
${publishing(place)}`
  return sheet(c, { title: 'Use this registry', main, facts: contents() })
}

function choice(scopes: readonly string[], takesAll: boolean): Markup {
  const current = html`aria-current="true"`
  return html`<nav class="tabs" aria-label="Which packages come from here">
<a href="/use" ${takesAll ? '' : current}>Only ${scopes.join(', ')}</a>
<a href="/use?for=${everything}" ${takesAll ? current : ''}>All packages</a></nav>
<p>${takesAll ? 'Every package is asked for here. Names that this registry does not have are not found.' : 'Other names keep coming from wherever your client gets them now.'}</p>`
}

function token({ registry }: Place): Markup {
  return html`<section id="token"><h2>A token</h2>
<p>At your desk, sign in once; the client keeps the token in your home folder:</p>
${snippet(`npm login --registry=${registry}`, 'npm or pnpm', 'login')}
<p>For CI, yarn 4 and bun make a <a href="/account/tokens">read-only token</a> and put it into the environment as <code>${tokenVariable}</code>. The files below name only the variable, so they can be committed.</p>
</section>`
}

function clients(place: Place): Markup {
  return html`<section id="clients"><h2>Clients</h2>
<h3 id="npm">npm</h3>
${show(npmrc(place))}
<p class="small">After <code>npm login</code> you can leave out the line with the token.</p>
<h3 id="pnpm-files">pnpm</h3>
${pnpmFiles(place).map(show)}
<p class="small">pnpm takes the token from your home folder only, never from a project. The last file lets it use your own packages on the day they are published.</p>
<h3 id="yarn-4">yarn 4</h3>${show(yarnrc(place))}
<h3 id="yarn-1">yarn 1</h3>${show(yarn1rc(place))}
<h3 id="bun">bun</h3>${show(bunfig(place))}</section>`
}

function identity(place: Place): Markup {
  const audience = `npm:${new URL(place.registry).hostname}`
  return html`<section id="ci-identity"><h2>CI without a stored token</h2>
<p>A job signs in by its own identity and installs for an hour: there is nothing to keep, to renew or to lose. An owner of the organisation says once whose jobs
may, on its page of <em>machines</em>. These write the job's <code>.npmrc</code>, so none with a token is committed.</p>
<p>The command line is not published as a package yet, so do not install one by that name: keep a clone of Holdfast ${release} where the job runs, such as in its image, run <code>npm ci --omit=dev</code> in it once, and set <code>HOLDFAST_HOME</code> to its folder. Never take it from the registry that it checks.</p>
<h3 id="github-identity">GitHub Actions</h3>${show(githubLogin(place))}
<h3 id="gitlab-identity">GitLab CI</h3>${show(gitlabLogin(place))}
<h3 id="circle-identity">CircleCI</h3>${show(circleLogin(place))}
<h3 id="jenkins-identity">Jenkins</h3>${show(jenkinsLogin(place))}
<p class="small">With the plugin <em>OpenID Connect Provider</em>; the credential is an id token with the audience <code>${audience}</code>, and the operator names the issuer.</p>
</section>`
}

function automation(place: Place): Markup {
  return html`<section id="ci"><h2>CI and update robots with a token</h2>
<p>Each of these works beside the committed <code>.npmrc</code> above; the token is a secret of the repository named <code>${tokenVariable}</code>.</p>
<h3 id="github-actions">GitHub Actions</h3>${show(githubActions())}
<h3 id="gitlab-ci">GitLab CI</h3>${show(gitlabCi())}
<h3 id="renovate-bot">Renovate</h3>${show(renovate(place))}
<h3 id="dependabot-bot">Dependabot</h3>${show(dependabot(place))}
</section>`
}

function publishing(place: Place): Markup {
  return html`<section id="publish"><h2>Publish</h2>
<p>Say in the package's own <code>package.json</code> where it belongs, so that it cannot go elsewhere by mistake:</p>
${show(publishConfig(place))}
${snippet('npm publish', '', 'publish-command')}
<p>From CI it needs no token either: <a href="/publishers">trust the job</a>, and <code>npm publish</code> in it does the rest.</p>
<p>Check afterwards what others will check: <code>npm audit signatures</code> in a project that installed it.</p>
<h3 id="api">Everything else, by programs</h3>
<p>The API of this registry is described in <a href="/api/v1/openapi.json">OpenAPI</a>: reports, waivers, lock files, measures, incidents, advisories.</p></section>`
}

function show({ file, text, id }: ClientSnippet): Markup {
  return snippet(text, file, id)
}

function contents(): Markup {
  return html`<nav aria-label="On this page"><h2>On this page</h2><ul class="bare">
<li><a href="#token">A token</a></li>
<li><a href="#npm">npm</a></li><li><a href="#pnpm-files">pnpm</a></li><li><a href="#yarn-4">yarn 4</a></li><li><a href="#yarn-1">yarn 1</a></li><li><a href="#bun">bun</a></li>
<li><a href="#ci-identity">CI without a stored token</a></li>
<li><a href="#github-actions">GitHub Actions</a></li><li><a href="#gitlab-ci">GitLab CI</a></li>
<li><a href="#renovate-bot">Renovate</a></li><li><a href="#dependabot-bot">Dependabot</a></li>
<li><a href="#publish">Publish</a></li></ul></nav>`
}
