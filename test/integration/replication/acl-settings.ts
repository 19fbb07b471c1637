import type { Credentials } from '@sluice/rocketmq';

const AUTH = 'org.apache.rocketmq.auth';

/** Returns the settings of a broker with ACL 2.0 whose one super user beside its own is `admin`. */
export function acl2Settings(admin: Credentials): Readonly<Record<string, string>> {
  return {
    authenticationEnabled: 'true',
    authenticationProvider: `${AUTH}.authentication.provider.DefaultAuthenticationProvider`,
    authenticationMetadataProvider: `${AUTH}.authentication.provider.LocalAuthenticationMetadataProvider`,
    initAuthenticationUser: JSON.stringify({ username: admin.accessKey, password: admin.secretKey }),
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey: 'inner', secretKey: '12345678' }),
    authorizationEnabled: 'true',
    authorizationProvider: `${AUTH}.authorization.provider.DefaultAuthorizationProvider`,
    authorizationMetadataProvider: `${AUTH}.authorization.provider.LocalAuthorizationMetadataProvider`,
  };
}
