// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../router.ts'
import { accessRoutes } from './access.ts'
import { loginRoutes } from './login.ts'
import { orgRoutes } from './org.ts'
import { packageWriteRoutes } from './package-write.ts'
import { profileRoutes } from './profile.ts'
import { stageRoutes } from './stage.ts'
import { starRoutes } from './star.ts'
import { tagRoutes } from './tag.ts'
import { tokenRoutes } from './token.ts'
import { trustRoutes } from './trust.ts'

/** Routes for accounts, people and changes to what is published. */
export const identityRoutes: readonly Route[] = [
  ...loginRoutes,
  ...profileRoutes,
  ...tokenRoutes,
  ...trustRoutes,
  ...tagRoutes,
  ...accessRoutes,
  ...orgRoutes,
  ...stageRoutes,
  ...starRoutes,
  ...packageWriteRoutes,
]
