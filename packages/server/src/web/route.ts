// SPDX-License-Identifier: Apache-2.0
import type { Hono } from 'hono'
import type { WebEnv } from './context.ts'
import { homePage } from './page/home.ts'
import { packagePage } from './page/package.ts'
import { unpublishPolicyPage } from './page/policy.ts'
import { searchPage } from './page/search.ts'
import { usePage } from './page/use.ts'

/** Every page there is. */
export function addRoutes(app: Hono<WebEnv>): void {
  app.get('/', homePage)
  app.get('/search', searchPage)
  app.get('/package/npm/:name{.+}', packagePage)
  app.get('/use', usePage)
  app.get('/policy/unpublish', unpublishPolicyPage)
}
