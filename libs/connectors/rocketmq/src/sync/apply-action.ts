import type { SyncAction } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import { resourceOf, ruleOf } from './cluster-view.js';

/** Topics are waited for until name servers route to them. */
const CALL_LIMIT_MS = 10_000;

/** Carries out one action at the target. @throws the client's errors and the signal's reason */
export async function applyAction({ admin, acl, plainAcl }: RocketMqClient, action: SyncAction, signal: AbortSignal): Promise<void> {
  const { name, broker } = action;
  const call = { signal, timeoutMs: CALL_LIMIT_MS };
  const on = { ...call, brokerName: broker };
  switch (action.kind) {
    case 'create-topic': {
      const { readQueues, writeQueues, perm, isOrdered, attributes } = action.settings;
      const settings = { readQueues, writeQueues, perm: perm, isOrdered, attributes: Object.fromEntries(attributes) };
      return admin.createTopic({ ...on, topic: name, ...settings });
    }
    case 'update-topic': {
      const { perm, ...change } = action.change;
      return admin.updateTopic({ ...on, topic: name, ...change, ...(perm === undefined ? {} : { perm: perm }) });
    }
    case 'delete-topic':
      return admin.deleteTopic(name, call);
    case 'create-group':
      return admin.createGroup({ ...on, group: name, ...action.change });
    case 'update-group':
      return admin.updateGroup({ ...on, group: name, ...action.change });
    case 'delete-group':
      return admin.deleteGroup(name, call);
    case 'create-user':
      return acl.createUser({ ...on, username: name, password: action.password.reveal(), userType: action.userType });
    case 'update-user': {
      const { password, userType, isEnabled } = action;
      return acl.updateUser({
        ...on,
        username: name,
        ...(password === undefined ? {} : { password: password.reveal() }),
        ...(userType === undefined ? {} : { userType }),
        ...(isEnabled === undefined ? {} : { isEnabled }),
      });
    }
    case 'delete-user':
      // Brokers delete the user's rules with it.
      return acl.deleteUser(name, on);
    case 'put-rule':
      return acl.createAcl({ ...on, subject: `User:${name}`, rules: [ruleOf(action.resource, action.rule)] });
    case 'delete-rule':
      return acl.deleteAcl({ ...on, subject: `User:${name}`, ...resourceOf(action.resource) });
    case 'put-account': {
      const { whiteRemoteAddress, topicPerms, groupPerms, ...account } = action.account;
      return plainAcl.putAccount({
        ...on,
        accessKey: name,
        secretKey: action.secretKey.reveal(),
        ...account,
        ...(whiteRemoteAddress === undefined ? {} : { whiteRemoteAddress }),
        ...(topicPerms.size === 0 ? {} : { topicPerms: Object.fromEntries(topicPerms) }),
        ...(groupPerms.size === 0 ? {} : { groupPerms: Object.fromEntries(groupPerms) }),
      });
    }
    case 'delete-account':
      return plainAcl.deleteAccount(name, on);
  }
}
