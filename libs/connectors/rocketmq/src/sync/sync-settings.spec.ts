import { describe, expect, it } from '@jest/globals';
import { readSyncSettings, syncErrors } from './sync-settings.js';

describe('readSyncSettings', () => {
  it('syncs topics and groups by default, deletes nothing, and knows whom it signs as', () => {
    const config = { 'source.cluster.access.key': 'reader', 'data.cluster.access.key': '', topics: 'a' };
    expect(readSyncSettings('The flow', config)).toEqual({
      areTopicsSynced: true,
      areGroupsSynced: true,
      isAclSynced: false,
      intervalMs: 5_000,
      isDeleteAllowed: false,
      isDryRun: false,
      groups: { include: ['*'], exclude: [] },
      users: { include: ['*'], exclude: [] },
      isCreationAllowed: true,
      ownUsers: new Set(['reader']),
    });
  });

  it('reads filters, and refuses what it does not know by name', () => {
    const settings = readSyncSettings('The flow', { groups: 'a-*, b', 'acl.users.exclude': 'root', 'topic.creation.enable': 'FALSE' });
    expect(settings).toMatchObject({
      groups: { include: ['a-*', 'b'] },
      users: { exclude: ['root'] },
      isCreationAllowed: false,
    });
    expect(() => readSyncSettings('The flow', { 'sync.interval.ms': '10', 'sync.delete': 'maybe' })).toThrow(
      /sync\.interval\.ms[\s\S]*sync\.delete|sync\.delete[\s\S]*sync\.interval\.ms/,
    );
  });
});

describe('syncErrors', () => {
  it('names the setting, what was given and what is allowed', () => {
    expect(
      syncErrors({ groups: 'orders-.*', 'groups.exclude': 'INST%a|b', 'acl.users': 'a.b,*', 'acl.users.exclude': 'two words' }),
    ).toEqual([
      {
        field: 'groups',
        message: 'Invalid value orders-.* for configuration groups: Allowed are names with * for anything; it is no regular expression',
      },
      {
        field: 'acl.users.exclude',
        message:
          'Invalid value two words for configuration acl.users.exclude: Allowed are names with * for anything; it is no regular expression',
      },
    ]);
  });
});
