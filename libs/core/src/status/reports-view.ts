import { SharedMap } from '../model/shared-map.js';
import type { ClusterState } from '../model/cluster-state.js';
import { memberKey } from '../model/member.js';
import type { Report } from '../model/report.js';

/** The latest report of each incarnation, by `memberKey`. */
export type ReportsView = ReadonlyMap<string, Report>;

/** Keeps the latest report of each incarnation. A view is copied only where it was looked at since the last change. */
export class LatestReports {
  #reports = new SharedMap<Report>(new Map());
  #isShared = false;

  /** As of now: reports that come later do not change it. */
  get view(): ReportsView {
    this.#isShared = true;
    return this.#reports;
  }

  /** Takes in a report; one that is older than what is known of its incarnation changes nothing. */
  take(report: Report): void {
    const key = memberKey(report);
    const known = this.#reports.get(key);
    if (known === undefined || known.reportSeq < report.reportSeq) this.#own().set(key, report);
  }

  /** Forgets the reports of incarnations that left the cluster; to be called now and then. */
  forgetDeparted({ departed }: Pick<ClusterState, 'departed'>): void {
    for (const key of [...this.#reports.keys()]) if (departed.has(key)) this.#own().delete(key);
  }

  #own(): SharedMap<Report> {
    if (this.#isShared) this.#reports = new SharedMap(this.#reports);
    this.#isShared = false;
    return this.#reports;
  }
}
