/** Request codes of the remoting protocol that this client sends (RocketMQ 4.4 to 5.5). */
export const REQUEST_CODE = {
  PULL_MESSAGE: 11,
  QUERY_CONSUMER_OFFSET: 14,
  UPDATE_CONSUMER_OFFSET: 15,
  UPDATE_AND_CREATE_TOPIC: 17,
  SEARCH_OFFSET_BY_TIMESTAMP: 29,
  GET_MAX_OFFSET: 30,
  GET_MIN_OFFSET: 31,
  HEART_BEAT: 34,
  GET_ROUTEINFO_BY_TOPIC: 105,
  GET_BROKER_CLUSTER_INFO: 106,
  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: 200,
  GET_ALL_SUBSCRIPTIONGROUP_CONFIG: 201,
  GET_TOPIC_STATS_INFO: 202,
  GET_CONSUMER_CONNECTION_LIST: 203,
  GET_ALL_TOPIC_LIST_FROM_NAMESERVER: 206,
  DELETE_SUBSCRIPTIONGROUP: 207,
  GET_CONSUME_STATS: 208,
  DELETE_TOPIC_IN_BROKER: 215,
  DELETE_TOPIC_IN_NAMESRV: 216,
  SEND_MESSAGE_V2: 310,
  SEND_BATCH_MESSAGE: 320,
  GET_TOPIC_CONFIG: 351,
} as const;

export type RequestCode = (typeof REQUEST_CODE)[keyof typeof REQUEST_CODE];

const NAMES = new Map<number, string>(Object.entries(REQUEST_CODE).map(([name, code]) => [code, name]));

export function requestName(code: number): string {
  return NAMES.get(code) ?? `request ${String(code)}`;
}
