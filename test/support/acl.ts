import type { Credentials } from '@sluice/rocketmq';

const AUTH = 'org.apache.rocketmq.auth';

/** The user that a broker with {@link ACL_2} begins with, who may do everything. */
export const ACL_ADMIN: Credentials = { accessKey: 'admin', secretKey: '12345678' };

/** Settings of a broker that lets nobody in without keys and permissions of ACL 2.0. */
export const ACL_2: Readonly<Record<string, string>> = {
  authenticationEnabled: 'true',
  authenticationProvider: `${AUTH}.authentication.provider.DefaultAuthenticationProvider`,
  authenticationMetadataProvider: `${AUTH}.authentication.provider.LocalAuthenticationMetadataProvider`,
  initAuthenticationUser: JSON.stringify({ username: ACL_ADMIN.accessKey, password: ACL_ADMIN.secretKey }),
  innerClientAuthenticationCredentials: JSON.stringify({ accessKey: 'inner', secretKey: '12345678' }),
  authorizationEnabled: 'true',
  authorizationProvider: `${AUTH}.authorization.provider.DefaultAuthorizationProvider`,
  authorizationMetadataProvider: `${AUTH}.authorization.provider.LocalAuthorizationMetadataProvider`,
};
