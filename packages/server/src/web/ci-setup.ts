// SPDX-License-Identifier: Apache-2.0
/** CI jobs that install by their own identity: pure texts, the steps of each run by a test. */
import type { ClientSnippet, Place } from './client-setup.ts'

/**
 * What every CI service runs before it installs, from a clone that the runner has: the command line is published under no
 * name yet, and a name that is still free could be somebody else's tomorrow.
 */
export function ciLogin({ registry, scopes }: Place): string {
  const url = registry.replace(/\/npm\/$/, '')
  return `node "$HOLDFAST_HOME/packages/cli/bin/holdfast.js" ci login --registry ${url}${scopes.map(scope => ` --scope ${scope}`).join('')}`
}

/** GitHub Actions gives identity tokens to jobs that may ask for them. */
export function githubLogin(place: Place): ClientSnippet {
  const text = `name: test
on: [push]
permissions:
  contents: read
  id-token: write
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: ${ciLogin(place)}
      - run: npm ci
      - run: npm test
`
  return { id: 'github-login', file: '.github/workflows/test.yml', text }
}

/** GitLab puts an identity token into a variable of the job. */
export function gitlabLogin(place: Place): ClientSnippet {
  const text = `test:
  image: node:24
  id_tokens:
    HOLDFAST_ID_TOKEN:
      aud: npm:${new URL(place.registry).hostname}
  script:
    - ${ciLogin(place)}
    - npm ci
    - npm test
`
  return { id: 'gitlab-login', file: '.gitlab-ci.yml', text }
}

/** CircleCI has a command that gives one. */
export function circleLogin(place: Place): ClientSnippet {
  const text = `version: 2.1
jobs:
  test:
    docker:
      - image: cimg/node:24.15
    steps:
      - checkout
      - run: ${ciLogin(place)}
      - run: npm ci
      - run: npm test
workflows:
  test:
    jobs:
      - test
`
  return { id: 'circle-login', file: '.circleci/config.yml', text }
}

/** Jenkins with its OpenID Connect Provider plugin: a credential of the kind "id token". */
export function jenkinsLogin(place: Place): ClientSnippet {
  const text = `pipeline {
  agent { docker { image 'node:24' } }
  stages {
    stage('test') {
      steps {
        withCredentials([string(credentialsId: 'holdfast-id-token', variable: 'HOLDFAST_ID_TOKEN')]) {
          sh '${ciLogin(place)}'
        }
        sh 'npm ci'
        sh 'npm test'
      }
    }
  }
}
`
  return { id: 'jenkins-login', file: 'Jenkinsfile', text }
}
