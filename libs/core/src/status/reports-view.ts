import { SharedMap } from '../log/shared-map.js';
import type { ClusterState } from '../model/cluster-state.js';
import { memberKey } from '../model/member.js';
import type { Report } from '../model/report.js';

/** The latest report of each incarnation, by `memberKey`. */
export type ReportsView = ReadonlyMap<string, Report>;

/** Takes in a report; one that is older than what is known of its incarnation changes nothing. */
export function foldReport(view: ReportsView, report: Report): ReportsView {
  const key = memberKey(report);
  const known = view.get(key);
  if (known !== undefined && known.reportSeq >= report.reportSeq) return view;
  return SharedMap.with(view, key, report);
}

/** Forgets the reports of incarnations that left the cluster; to be called now and then. */
export function forgetDeparted(view: ReportsView, state: ClusterState): ReportsView {
  const departed = [...view.keys()].filter((key) => state.departed.has(key));
  return SharedMap.without(view, departed);
}
